variable "identity" {
  description = "The whole of module `names`, called with what identifies the service."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "place" {
  description = "Where the job runs: `partition`, `region` and `account_id`."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
  nullable = false
}

variable "schedule" {
  description = "When the job runs, in UTC: `cron(...)` or `rate(...)`."
  type        = string
  nullable    = false
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "task" {
  description = "What runs: the task definition with its revision, the container whose exit code counts, the roles that are passed to it, and the capacity provider that it runs on."
  type = object({
    definition_arn    = string
    container_name    = string
    role_arns         = list(string)
    capacity_provider = string
    launch_type       = string
  })
  nullable = false
}

variable "network" {
  description = "Subnets and security groups of the task on Fargate; null on EC2."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "attempts" {
  description = "How often a run is started before it has failed; 1 for never again."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = floor(var.attempts) == var.attempts && var.attempts >= 1 && var.attempts <= 10
    error_message = "The attempts are a whole number from 1 to 10: the pause before each is twice the one before."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which an attempt is stopped and the run has failed; longer than the job's own deadline."
  type        = number
  default     = 7200
  nullable    = false

  validation {
    condition     = floor(var.timeout_seconds) == var.timeout_seconds && var.timeout_seconds >= 60 && var.timeout_seconds <= 7 * 24 * 3600
    error_message = "The time-out is a whole number of seconds from 60 to 604800."
  }
}

variable "log_retention_days" {
  description = "Days that the log of failed runs is kept."
  type        = number
  default     = 30
  nullable    = false
}
