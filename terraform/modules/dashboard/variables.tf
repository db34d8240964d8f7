variable "identity" {
  description = "The whole of module `names`, called with what identifies the service."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "kind" {
  description = "Kind of service, one of the contract's."
  type        = string
  nullable    = false

  validation {
    condition     = contains(var.identity.contract.kinds, var.kind)
    error_message = "kind is one of ${join(", ", var.identity.contract.kinds)}."
  }
}

variable "links" {
  description = "Addresses of the repository and of the playbook, and of the project in Sentry, which is null where there is none."
  type = object({
    repository = string
    playbook   = string
    sentry     = optional(string)
  })
  nullable = false
}

variable "log_group_name" {
  description = "Log group of the service, which the logs query opens."
  type        = string
  nullable    = false
}

variable "clock_function_arn" {
  description = "Function of the custom widget that shows local time and UTC."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[a-zA-Z0-9_-]+$", var.clock_function_arn))
    error_message = "clock_function_arn is the ARN of a Lambda function, without a version."
  }
}

variable "alarm_arns" {
  description = "ARN of each alarm of the service, by its name in the contract."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.alarm_arns) >= 1 && length(var.alarm_arns) <= 100
    error_message = "A dashboard shows from 1 to 100 alarms in one widget."
  }
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "container_insights" {
  description = "Whether the cluster has Container Insights, which count the running tasks; else the samples of the CPU metric are counted, of which each task sends one a minute."
  type        = bool
  default     = false
  nullable    = false
}

variable "load_balancer" {
  description = "Dimensions of a web service in the load balancer's metrics, and the seconds above which an answer is slow; null for a worker."
  type = object({
    dimensions                = map(string)
    latency_threshold_seconds = number
  })
  default = null

  validation {
    condition     = (var.load_balancer != null) == (var.kind == "web")
    error_message = "A web service has a load balancer, and a worker has none."
  }
}

variable "queues" {
  description = "Queues that a daemon consumes, by name: the queue, and its dead-letter queue or null."
  type = map(object({
    queue_name             = string
    dead_letter_queue_name = optional(string)
  }))
  default  = {}
  nullable = false
}

variable "cron" {
  description = "What a cron runs in, and the metric that counts its finished runs; null for another kind."
  type = object({
    state_machine_arn = string
    finished          = object({ namespace = string, name = string })
    silence_hours     = number
  })
  default = null

  validation {
    condition     = (var.cron != null) == (var.kind == "worker-cron")
    error_message = "A cron has a state machine, and no other kind has one."
  }
}

variable "objectives" {
  description = "Output `panel` of module `service_level_objective` for each objective."
  type = list(object({
    name        = string
    objective   = number
    bad_percent = string
    metrics = map(object({
      namespace  = string
      name       = string
      statistic  = string
      dimensions = map(string)
    }))
  }))
  default  = []
  nullable = false
}
