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
  description = "Page with an entry for each alarm; null for the playbook in the service's repository."
  type        = string
  default     = null
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

variable "queue" {
  description = "What a daemon consumes: `standard` or `fifo` (a queue of its own, or the one of `queue_arn`), or `none` (a loop)."
  type        = string
  default     = "standard"
  nullable    = false

  validation {
    condition     = contains(["standard", "fifo", "none"], var.queue)
    error_message = "queue is standard, fifo or none."
  }

  validation {
    condition     = var.queue != "none" || var.min_count >= 1
    error_message = "Without a queue nothing would ever start a task: min_count is 1 or more."
  }
}

variable "queue_arn" {
  description = "Existing queue to consume; null for one of its own."
  type        = string
  default     = null

  validation {
    condition = var.queue_arn == null ? true : can(regex(
      "^arn:${data.aws_partition.this.partition}:sqs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:[A-Za-z0-9_-]+(?:\\.fifo)?$",
      var.queue_arn,
    ))
    error_message = "queue_arn is the ARN of an SQS queue of this account and region: scaling and alarms see no metrics of another."
  }

  validation {
    condition     = var.queue_arn == null ? true : var.type == "daemon" && var.queue == (endswith(var.queue_arn, ".fifo") ? "fifo" : "standard")
    error_message = "queue_arn is for a daemon, and queue says fifo for a queue whose name ends in .fifo, and standard for any other."
  }
}

variable "dead_letter_queue_arn" {
  description = "Dead-letter queue of the existing queue; null for a queue of its own."
  type        = string
  default     = null

  validation {
    condition = var.dead_letter_queue_arn == null ? true : can(regex(
      "^arn:${data.aws_partition.this.partition}:sqs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:[A-Za-z0-9_-]+(?:\\.fifo)?$",
      var.dead_letter_queue_arn,
    ))
    error_message = "dead_letter_queue_arn is the ARN of an SQS queue of this account and region."
  }

  validation {
    condition     = (var.queue_arn == null) == (var.dead_letter_queue_arn == null)
    error_message = "An existing queue is given with its dead-letter queue, without which what fails would come again for ever."
  }
}

variable "queues" {
  description = "Further queues to make and consume, by name: `imports` becomes `QUEUE_IMPORTS_URL`. What is not given is as for the own queue."
  type = map(object({
    fifo                       = optional(bool, false)
    visibility_timeout_seconds = optional(number)
    max_receives               = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(var.queues) <= 3
    error_message = "There are at most three further queues: automatic scaling can look at ten metrics."
  }

  validation {
    condition     = length(var.queues) == 0 || (var.type == "daemon" && var.queue != "none")
    error_message = "Only a daemon with a queue has further ones."
  }
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a message somebody has received stays hidden from others."
  type        = number
  default     = 120
  nullable    = false
}

variable "max_receives" {
  description = "Receives of one message, after which it moves to the dead-letter queue."
  type        = number
  default     = 5
  nullable    = false
}

variable "backlog_per_task" {
  description = "Messages a task, waiting and in flight, that scaling of a daemon aims at."
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
    condition = alltrue([
      for seconds in concat([var.visibility_timeout_seconds], [for queue in values(var.queues) : coalesce(queue.visibility_timeout_seconds, 0)]) :
      var.message_age_threshold_seconds > seconds
    ])
    error_message = "message_age_threshold_seconds is above each visibility time-out, or a single task that is killed would page somebody."
  }
}

variable "coordination_table" {
  description = "Whether there is a DynamoDB table for locks and for messages already handled; null for a cron only."
  type        = bool
  default     = null
}

variable "payload_bucket" {
  description = "Whether there is an S3 bucket for the bodies of messages that are too large for SQS."
  type        = bool
  default     = false
  nullable    = false
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

variable "run_attempts" {
  description = "How often a run of a cron is started before it has failed; 1 for never again."
  type        = number
  default     = 3
  nullable    = false
}

variable "run_timeout_seconds" {
  description = "Seconds after which an attempt of a cron is stopped and its run has failed; longer than the job's own deadline."
  type        = number
  default     = 7200
  nullable    = false
}

variable "silence_hours" {
  description = "Hours without a finished run, after which the alarm of a cron rings; null for one hour more than its schedule is silent at most."
  type        = number
  default     = null

  validation {
    condition     = var.silence_hours == null ? true : floor(var.silence_hours) == var.silence_hours && var.silence_hours >= 1 && var.silence_hours <= 9600
    error_message = "silence_hours is a whole number from 1 to 9600 (400 days)."
  }

  validation {
    condition     = var.silence_hours == null || local.gap_hours == null ? true : var.silence_hours > local.gap_hours
    error_message = "silence_hours is more than ${coalesce(local.gap_hours, 0)}, which is how long the schedule is silent at most by itself."
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

variable "repositories_url" {
  description = "Address below which the repositories are, for links; null to look it up."
  type        = string
  default     = null
}

variable "sentry_url" {
  description = "Address of the organisation in Sentry, for links, or `none`; null to look it up."
  type        = string
  default     = null
}

variable "clock_function_arn" {
  description = "Function of the clock on the dashboard; null to look it up."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Whether the cluster has Container Insights; without it the dashboard counts running tasks by the samples of their CPU metric."
  type        = bool
  default     = true
  nullable    = false
}

variable "availability_objective" {
  description = "Per cent of messages that are not to end in the dead-letter queue over 30 days, from 95 to 99.99."
  type        = number
  default     = 99.9
  nullable    = false
}
