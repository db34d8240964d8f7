variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "product" {
  description = "Product that the service belongs to, such as `duolingo`."
  type        = string
  nullable    = false
}

variable "service" {
  description = "Service that owns the data store, such as `api`."
  type        = string
  nullable    = false
}

variable "subservice" {
  description = "Name of the data store within the service, such as `db`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the service."
  type        = string
  nullable    = false
}

variable "engine" {
  description = "`redis` or `memcached`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["redis", "memcached"], var.engine)
    error_message = "engine is redis or memcached."
  }
}

variable "engine_version" {
  description = "Version of the engine; null for redis 7.1 or memcached 1.6.22."
  type        = string
  default     = null
}

variable "node_type" {
  description = "Type of each node."
  type        = string
  default     = "cache.t4g.small"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9-]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type is a type of nodes such as cache.t4g.small."
  }
}

variable "num_nodes" {
  description = "Number of nodes: for redis a primary and replicas."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.num_nodes) == var.num_nodes && var.num_nodes >= 1 && var.num_nodes <= (var.engine == "redis" ? 6 : 40)
    error_message = "num_nodes is a whole number from 1 to 6 for redis and to 40 for memcached."
  }
}

variable "allowed_security_group_ids" {
  description = "Security groups that may connect."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "vpc_id" {
  description = "VPC; null to look it up."
  type        = string
  default     = null
}

variable "private_subnet_ids" {
  description = "Subnets; null to look them up."
  type        = list(string)
  default     = null
}

