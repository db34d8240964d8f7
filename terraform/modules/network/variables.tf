variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the network."
  type        = string
  nullable    = false
}

variable "availability_zones" {
  description = "Zones that the network spans, such as `[\"eu-central-1a\", \"eu-central-1b\"]`; a zone that is added or removed changes nothing in the others."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.availability_zones) >= 2 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones holds at least two zones, which a load balancer needs, and each only once."
  }

  validation {
    condition     = alltrue([for zone in var.availability_zones : can(regex("^[a-z]+(?:-[a-z]+)+-[0-9][a-h]$", zone))])
    error_message = "availability_zones holds names of zones of one region, such as eu-central-1a; the letter at the end, from a to h, says which part of the network is the zone's."
  }

  validation {
    condition     = length(distinct([for zone in var.availability_zones : replace(zone, "/[a-h]$/", "")])) <= 1
    error_message = "availability_zones holds zones of one region."
  }
}

variable "cidr_block" {
  description = "Addresses of the network, from /16 to /22. A zone gets a sixteenth for its private and a sixteenth for its public subnet."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition = (
      can(cidrnetmask(var.cidr_block))
      && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 22, false)
      && try(cidrsubnet(var.cidr_block, 0, 0) == var.cidr_block, false)
    )
    error_message = "cidr_block is the first address and the length of an IPv4 network, from /16 to /22, such as 10.0.0.0/16."
  }
}

variable "single_nat_gateway" {
  description = "Whether all private subnets share the NAT gateway of the first zone: cheaper, but an outage of that zone cuts all of them off, and another first zone moves it, which breaks connections."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_log_retention_days" {
  description = "Days that flow logs are kept; null for no flow logs."
  type        = number
  default     = 30

  validation {
    condition = var.flow_log_retention_days == null ? true : contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.flow_log_retention_days,
    )
    error_message = "flow_log_retention_days is a number of days that CloudWatch Logs offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}
