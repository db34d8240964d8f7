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

variable "engine_version" {
  description = "Version of the engine."
  type        = string
  default     = "OpenSearch_2.19"
  nullable    = false

  validation {
    condition     = can(regex("^(?:OpenSearch|Elasticsearch)_[0-9]+\\.[0-9]+$", var.engine_version))
    error_message = "engine_version is OpenSearch_ or Elasticsearch_ and a version such as 2.19."
  }
}

variable "instance_type" {
  description = "Type of each node."
  type        = string
  default     = "m7g.medium.search"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+\\.search$", var.instance_type))
    error_message = "instance_type is a type of nodes such as m7g.medium.search."
  }
}

variable "instance_count" {
  description = "Number of nodes; from two on they spread over two availability zones."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.instance_count) == var.instance_count && (var.instance_count == 1 || var.instance_count % 2 == 0) && var.instance_count >= 1 && var.instance_count <= 80
    error_message = "instance_count is 1 or an even number to 80, so that two availability zones have equal shares."
  }
}

variable "volume_size" {
  description = "GiB of disk of each node."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = floor(var.volume_size) == var.volume_size && var.volume_size >= 10
    error_message = "volume_size is a whole number of GiB from 10."
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

