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
  description = "Where the queue is: `partition`, `region` and `account_id`."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
  nullable = false
}

variable "name" {
  description = "Name of a further queue of the service, such as `imports`; null for its own."
  type        = string
  default     = null

  validation {
    condition = var.name == null ? true : (
      can(regex("^(?:${var.identity.contract.names.service.pattern})$", var.name))
      && length(var.name) <= var.identity.contract.names.service.maximum_length
      && var.name != "main"
    )
    error_message = "A queue's name is lower-case letters and digits in words joined by single hyphens, begins with a letter, has at most ${var.identity.contract.names.service.maximum_length} characters and is not main, which is the service's own queue."
  }
}

variable "fifo" {
  description = "Whether messages of a group are handled one after the other, in their order."
  type        = bool
  default     = false
  nullable    = false
}

variable "visibility_timeout_seconds" {
  description = "Seconds that a message somebody has received stays hidden from others."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition = (
      floor(var.visibility_timeout_seconds) == var.visibility_timeout_seconds
      && var.visibility_timeout_seconds >= var.identity.contract.timing.cases.worker_daemon.stop_timeout
      && var.visibility_timeout_seconds <= 43200
    )
    error_message = "visibility_timeout_seconds is a whole number from ${var.identity.contract.timing.cases.worker_daemon.stop_timeout} (the stop timeout: a message that a stopping task still works on must not come to another one) to 43200 (SQS allows no more)."
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

  validation {
    condition     = var.max_receives * max(var.visibility_timeout_seconds, local.longest_back_off_seconds) <= local.retention_seconds
    error_message = "max_receives times the visibility time-out (or the back-off of ${local.longest_back_off_seconds} s, where that is longer) is at most ${local.retention_seconds} s: the queue forgets a message after that, and it would never reach the dead-letter queue."
  }
}
