variable "type" {
  description = "`daemon` (a consumer of a queue) or `cron` (a task started on a schedule)."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["daemon", "cron"], var.type)
    error_message = "type is daemon or cron."
  }
}

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
  description = "Service within the product, such as `api`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the service."
  type        = string
  nullable    = false
}

variable "min_count" {
  description = "Least number of tasks of a daemon, from 0."
  type        = number
  default     = 1
  nullable    = false
}

variable "max_count" {
  description = "Greatest number of tasks of a daemon."
  type        = number
  default     = 4
  nullable    = false
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  nullable    = false
}

variable "memory" {
  description = "MiB that a task is meant to live in; baselib takes them for 100 %."
  type        = number
  nullable    = false
}

variable "memory_hard_limit" {
  description = "MiB at which the kernel kills the container; null for half as much again as `memory`, at least 128 MiB more, on Fargate rounded up to a size that it offers."
  type        = number
  default     = null
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "service_version" {
  description = "Tag or digest (`sha256:...`) of the image to run; neither empty nor `latest`."
  type        = string
  nullable    = false
}

variable "image_repository" {
  description = "Repository of the image; null for the ECR repository `{product}-{service}` of this account and region."
  type        = string
  default     = null
}

variable "playbook_url" {
  description = "Page with an entry for each alarm; an alarm links to it with its name as the anchor."
  type        = string
  nullable    = false
}

variable "contact" {
  description = "E-mail address named in each alarm; null for none."
  type        = string
  default     = null
}

variable "launch_type" {
  description = "`EC2` (bridge network) or `FARGATE` (a network interface of its own)."
  type        = string
  default     = "EC2"
  nullable    = false
}

variable "capacity_provider" {
  description = "Capacity provider of the cluster, in place of the launch type; null for none."
  type        = string
  default     = null
}

variable "environment_variables" {
  description = "Environment variables besides those of the contract."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets" {
  description = "Environment variables whose values are read from Secrets Manager or SSM at start: name to ARN."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets_kms_key_arns" {
  description = "Customer-managed keys that the secrets are encrypted with."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "task_policy_json" {
  description = "What the code may do in AWS, as an IAM policy; null for nothing more than the module itself grants."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "spot" {
  description = "Whether tasks run on spot capacity; on Fargate it chooses FARGATE_SPOT."
  type        = bool
  default     = false
  nullable    = false
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a message a daemon has received stays hidden from others."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds && var.visibility_timeout_seconds >= 1 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds is a whole number from 1 to 43200."
  }
}

variable "max_receives" {
  description = "Receives of one message, after which it moves to the dead-letter queue."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = floor(var.max_receives) == var.max_receives && var.max_receives >= 1 && var.max_receives <= 1000
    error_message = "max_receives is a whole number from 1 to 1000."
  }
}

variable "backlog_per_task" {
  description = "Visible messages a task that scaling of a daemon aims at."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.backlog_per_task > 0
    error_message = "backlog_per_task is above 0."
  }
}

variable "message_age_threshold_seconds" {
  description = "Age of the oldest message, above which the alarm of a daemon rings."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.message_age_threshold_seconds > 0
    error_message = "message_age_threshold_seconds is above 0."
  }
}

variable "schedule" {
  description = "When a cron runs, in UTC: `cron(...)` or `rate(...)`; null for a daemon."
  type        = string
  default     = null

  validation {
    condition     = var.schedule == null ? true : can(regex("^(?:${module.names.contract.answers.schedule.pattern})$", var.schedule))
    error_message = module.names.contract.answers.schedule.rule
  }

  validation {
    condition     = (var.schedule != null) == (var.type == "cron")
    error_message = "A cron has a schedule, and a daemon has none."
  }
}

variable "silence_hours" {
  description = "Hours without a finished run, after which the alarm of a cron rings."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = floor(var.silence_hours) == var.silence_hours && var.silence_hours >= 1 && var.silence_hours <= 168
    error_message = "silence_hours is a whole number from 1 to 168: CloudWatch looks back seven days at most."
  }
}

variable "vpc_id" {
  description = "VPC; null to look it up."
  type        = string
  default     = null
}

variable "private_subnet_ids" {
  description = "Subnets of the tasks on Fargate; null to look them up."
  type        = list(string)
  default     = null
}

variable "emergency_topic_arn" {
  description = "SNS topic that pages; null to look it up."
  type        = string
  default     = null
}

variable "warning_topic_arn" {
  description = "SNS topic that sends e-mail; null to look it up."
  type        = string
  default     = null
}

