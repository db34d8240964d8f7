variable "identity" {
  description = "The whole of module `names`, called with what identifies the service, or product `platform` and a service `internal` or `external` for a shared one."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "internal" {
  description = "Whether only the VPC reaches it; else the internet does."
  type        = bool
  nullable    = false
}

variable "vpc_id" {
  description = "VPC of the load balancer."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Subnets of the load balancer, in at least two availability zones: private ones for an internal one, else public ones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(distinct(var.subnet_ids)) >= 2
    error_message = "subnet_ids holds at least two subnets: a load balancer is in two availability zones or more."
  }
}

variable "certificate_arn" {
  description = "Certificate of ACM; null for plain HTTP, which only an internal one may speak."
  type        = string
  default     = null

  validation {
    condition     = var.internal || var.certificate_arn != null
    error_message = "A load balancer that the internet reaches speaks HTTPS: give it certificate_arn."
  }

  validation {
    condition     = var.certificate_arn == null ? true : can(regex("^arn:[a-z-]+:(?:acm:[a-z0-9-]+:[0-9]{12}:certificate|iam::[0-9]{12}:server-certificate)/", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate of ACM or IAM."
  }
}

variable "vpc_cidr_blocks" {
  description = "Address ranges of the VPC, where the targets are; null to read the first one from the VPC."
  type        = list(string)
  default     = null

  validation {
    condition     = var.vpc_cidr_blocks == null ? true : length(var.vpc_cidr_blocks) > 0 && alltrue([for block in var.vpc_cidr_blocks : can(cidrnetmask(block))])
    error_message = "vpc_cidr_blocks holds at least one IPv4 range, such as 10.0.0.0/16."
  }
}

variable "allowed_cidr_blocks" {
  description = "Address ranges that may call; null for the VPC's on an internal one, else for everybody."
  type        = list(string)
  default     = null

  validation {
    condition     = var.allowed_cidr_blocks == null ? true : length(var.allowed_cidr_blocks) > 0 && alltrue([for block in var.allowed_cidr_blocks : can(cidrnetmask(block))])
    error_message = "allowed_cidr_blocks holds at least one IPv4 range, such as 10.0.0.0/8."
  }
}

variable "access_logs_bucket" {
  description = "Bucket for a line about each request; null for none."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether it has to be unprotected before it can be deleted; null for whether the environment is `prod`."
  type        = bool
  default     = null
}
