variable "name" {
  description = "Name of the cluster, which services give as `ecs_cluster`; unique in the account."
  type        = string
  nullable    = false

  validation {
    condition = (
      can(regex("^(?:${module.names.contract.cluster.pattern})$", var.name))
      && length(var.name) <= module.names.contract.cluster.maximum_length
    )
    error_message = module.names.contract.cluster.rule
  }
}

variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the cluster."
  type        = string
  nullable    = false
}

variable "availability_zones" {
  description = "Zones that the instances are spread over; add or remove a zone here."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.availability_zones) > 0 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones holds at least one zone, and each only once."
  }
}

variable "instance_types" {
  description = "Types that instances may have, of one processor architecture; on-demand instances are of the first that can be had, so reserved types come first."
  type        = list(string)
  default     = ["m6i.large", "m6a.large", "m5.large", "m5a.large"]
  nullable    = false

  validation {
    condition     = length(var.instance_types) >= 1 && length(var.instance_types) <= 40 && alltrue([for type in var.instance_types : can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", type))])
    error_message = "instance_types holds 1 to 40 types, such as m6i.large."
  }

  validation {
    condition     = length(distinct([for type in var.instance_types : can(regex(local.arm_pattern, type))])) <= 1
    error_message = "instance_types holds types of one processor architecture, because an image is built for one: arm64 are ${join(", ", [for type in var.instance_types : type if can(regex(local.arm_pattern, type))])}; the others are x86_64."
  }
}

variable "on_demand" {
  description = "Least and greatest number of on-demand instances; the least is the base that is always there, for which instances are reserved."
  type = object({
    min = number
    max = number
  })
  default  = { min = 2, max = 20 }
  nullable = false

  validation {
    condition     = floor(var.on_demand.min) == var.on_demand.min && floor(var.on_demand.max) == var.on_demand.max && var.on_demand.min >= 0 && var.on_demand.min <= var.on_demand.max && var.on_demand.max >= 1
    error_message = "on_demand is whole numbers of instances, where min is from 0 to max, and max from 1: a group that may hold none never scales."
  }
}

variable "spot" {
  description = "Least and greatest number of spot instances, which come on top of the on-demand ones."
  type = object({
    min = number
    max = number
  })
  default  = { min = 0, max = 20 }
  nullable = false

  validation {
    condition     = floor(var.spot.min) == var.spot.min && floor(var.spot.max) == var.spot.max && var.spot.min >= 0 && var.spot.min <= var.spot.max && var.spot.max >= 1
    error_message = "spot is whole numbers of instances, where min is from 0 to max, and max from 1: a group that may hold none never scales."
  }
}

variable "headroom_percent" {
  description = "Share of each group's instances that is kept free, so that a new task need not wait for an instance."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = floor(var.headroom_percent) == var.headroom_percent && var.headroom_percent >= 0 && var.headroom_percent <= 90
    error_message = "headroom_percent is a whole number from 0 to 90."
  }
}

variable "default_strategy" {
  description = "Where tasks run whose caller does not say it: `base` of them on demand, and further ones by the two weights."
  type = object({
    base             = number
    on_demand_weight = number
    spot_weight      = number
  })
  default  = { base = 1, on_demand_weight = 1, spot_weight = 1 }
  nullable = false

  validation {
    condition = (
      alltrue([for number in values(var.default_strategy) : floor(number) == number && number >= 0])
      && var.default_strategy.base <= 100000
      && var.default_strategy.on_demand_weight <= 1000
      && var.default_strategy.spot_weight <= 1000
      && var.default_strategy.on_demand_weight + var.default_strategy.spot_weight > 0
    )
    error_message = "default_strategy is whole numbers: base from 0 to 100000, and weights from 0 to 1000 of which at least one is above 0."
  }
}

variable "container_insights" {
  description = "Whether CloudWatch Container Insights is on, which is charged by the metric."
  type        = bool
  default     = true
  nullable    = false
}

variable "session_manager" {
  description = "Whether people may open a shell on an instance by Session Manager."
  type        = bool
  default     = false
  nullable    = false
}

variable "image_id" {
  description = "Machine image of the instances; null for the newest ECS-optimised Amazon Linux 2023, which an apply then rolls out."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.image_id))
    error_message = "image_id is the id of a machine image, such as ami-0123456789abcdef0."
  }
}

variable "volume_size" {
  description = "GiB of an instance's disk, which holds images and what containers write."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = floor(var.volume_size) == var.volume_size && var.volume_size >= 30 && var.volume_size <= 16384
    error_message = "volume_size is a whole number of GiB from 30, which the image has, to 16384."
  }
}

variable "load_balancer_security_group_ids" {
  description = "Security groups of the load balancers that reach tasks on the instances, by any name of the caller's choice."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "network" {
  description = "VPC, and its private subnet of each zone by the zone's name; null to look them up."
  type = object({
    vpc_id             = string
    private_subnet_ids = map(string)
  })
  default = null
}
