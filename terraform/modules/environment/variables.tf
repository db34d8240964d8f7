variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns what is shared."
  type        = string
  nullable    = false
}

variable "availability_zones" {
  description = "Zones of the network, the load balancers and the instances; add or remove a zone here."
  type        = list(string)
  nullable    = false

  validation {
    condition     = var.network == null ? true : length(setsubtract(var.availability_zones, setintersection(keys(var.network.private_subnet_ids), keys(var.network.public_subnet_ids)))) == 0
    error_message = "availability_zones holds zones in which the given network has both a private and a public subnet."
  }
}

variable "leaving_zones" {
  description = "Zones that were taken out of `availability_zones`, whose subnets stay until nothing runs in them any more."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setintersection(var.leaving_zones, var.availability_zones)) == 0
    error_message = "leaving_zones holds none of availability_zones."
  }

  validation {
    condition     = var.network == null || length(var.leaving_zones) == 0
    error_message = "leaving_zones is for a network that is made here: one that is given keeps its subnets."
  }
}

variable "repositories_url" {
  description = "Address that the services' repositories are below, such as `https://github.com/duolingo`; alarms and dashboards link to it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:${module.names.contract.answers.url.pattern})$", var.repositories_url)) && !endswith(var.repositories_url, "/")
    error_message = "repositories_url begins with https:// and does not end with a slash."
  }
}

variable "sentry_url" {
  description = "Address of the Sentry organisation, such as `https://duolingo.sentry.io`; `none` where there is no Sentry."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = var.sentry_url == "none" || (can(regex("^(?:${module.names.contract.answers.url.pattern})$", var.sentry_url)) && !endswith(var.sentry_url, "/"))
    error_message = "sentry_url begins with https:// and does not end with a slash, or is none."
  }
}

variable "certificate_arn" {
  description = "Certificate of the external load balancer, in ACM."
  type        = string
  default     = null
}

variable "external_load_balancer" {
  description = "Whether there is a load balancer that the internet reaches."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = !var.external_load_balancer || var.certificate_arn != null
    error_message = "An external load balancer speaks HTTPS: give certificate_arn, or have none by external_load_balancer = false."
  }
}

variable "access_logs_bucket" {
  description = "Bucket for the load balancers' access logs; null for none."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether the load balancers have to be unprotected before they can be deleted; null for whether the environment is `prod`."
  type        = bool
  default     = null
}

variable "network" {
  description = "VPC that is there already, with its address ranges and its subnets by zone; null to make one."
  type = object({
    vpc_id             = string
    cidr_blocks        = list(string)
    private_subnet_ids = map(string)
    public_subnet_ids  = map(string)
  })
  default = null
}

variable "cidr_block" {
  description = "Addresses of the network, from /16 to /22, where one is made."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false
}

variable "single_nat_gateway" {
  description = "Whether all zones share one NAT gateway, where a network is made: cheaper, but they then fail together."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_log_retention_days" {
  description = "Days that flow logs are kept, where a network is made; null for no flow logs."
  type        = number
  default     = 30
}

variable "warning_emails" {
  description = "Addresses that get an e-mail for each warning; each must confirm once."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "emergency_emails" {
  description = "Addresses that get an e-mail for each emergency, besides whom the topic pages; each must confirm once."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "cluster" {
  description = "Name of the ECS cluster; null for the environment's."
  type        = string
  default     = null
}

variable "instance_types" {
  description = "Types that instances may have, of one processor architecture, reserved ones first."
  type        = list(string)
  default     = ["m6i.large", "m6a.large", "m5.large", "m5a.large"]
  nullable    = false
}

variable "on_demand" {
  description = "Least and greatest number of on-demand instances; the least is the base that is always there."
  type = object({
    min = number
    max = number
  })
  default  = { min = 2, max = 20 }
  nullable = false
}

variable "spot" {
  description = "Least and greatest number of spot instances, which come on top of the on-demand ones."
  type = object({
    min = number
    max = number
  })
  default  = { min = 0, max = 20 }
  nullable = false
}

variable "container_insights" {
  description = "Whether CloudWatch Container Insights is on, which is charged by the metric."
  type        = bool
  default     = true
  nullable    = false
}
