variable "identity" {
  description = "The whole of module `names`, called with what identifies the service."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,255}$", var.ecs_cluster))
    error_message = "ecs_cluster is the name of a cluster, not its ARN: letters, digits, hyphens and underscores, at most 255 characters."
  }
}

variable "task_definition_arn" {
  description = "Task definition, with its revision."
  type        = string
  nullable    = false
}

variable "min_count" {
  description = "Least number of tasks, from 1 behind a load balancer."
  type        = number
  nullable    = false

  validation {
    condition     = floor(var.min_count) == var.min_count && var.min_count >= (var.load_balancer == null ? 0 : 1) && var.min_count <= var.max_count
    error_message = var.identity.contract.answers.count.rule
  }
}

variable "max_count" {
  description = "Greatest number of tasks."
  type        = number
  nullable    = false

  validation {
    condition = (
      floor(var.max_count) == var.max_count
      && var.max_count >= 1
      && var.max_count <= var.identity.contract.answers.count.maximum
    )
    error_message = var.identity.contract.answers.count.rule
  }
}

variable "launch_type" {
  description = "`EC2`, where tasks are placed over zones and then packed, or `FARGATE`."
  type        = string
  nullable    = false
}

variable "capacity_provider" {
  description = "Capacity provider that the tasks run on."
  type        = string
  nullable    = false
}

variable "spot" {
  description = "Whether tasks may be interrupted."
  type        = bool
  default     = false
  nullable    = false
}

variable "network" {
  description = "Subnets and security groups of the tasks on Fargate; null on EC2."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "load_balancer" {
  description = "Target group, and the container and port behind it; null for a service that nobody calls."
  type = object({
    target_group_arn = string
    container_name   = string
    container_port   = number
  })
  default = null
}

variable "memory_percent" {
  description = "What ECS's memory metric shows when a task uses all that it is meant to."
  type        = number
  default     = 100
  nullable    = false
}

variable "rollback_alarm_names" {
  description = "Alarms that roll a deployment back when one of them rings; they exist before the service."
  type        = list(string)
  default     = []
  nullable    = false
}
