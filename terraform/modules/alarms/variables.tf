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

variable "playbook_url" {
  description = "Page with an entry for each alarm; the alarm's name is added as the anchor."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:${var.identity.contract.answers.url.pattern})$", var.playbook_url))
    error_message = var.identity.contract.answers.url.rule
  }
}

variable "contact" {
  description = "E-mail address named in each alarm; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.contact == null ? true : can(regex("^(?:${var.identity.contract.answers.contact.pattern})$", var.contact))
    error_message = var.identity.contract.answers.contact.rule
  }
}

variable "topic_arns" {
  description = "SNS topic of each severity, `emergency` and `warning`."
  type        = map(string)
  nullable    = false
}

variable "measures" {
  description = "What each alarm of the kind watches, by the alarm's name. Without `expression` there is exactly one metric."
  type = map(object({
    metrics = map(object({
      namespace  = string
      name       = string
      statistic  = string
      dimensions = map(string)
    }))
    expression   = optional(string)
    comparison   = optional(string, "GreaterThanThreshold")
    threshold    = number
    period       = optional(number, 60)
    periods      = number
    datapoints   = optional(number)
    missing_data = optional(string, "notBreaching")
  }))
  nullable = false

  validation {
    condition     = alltrue([for measure in values(var.measures) : measure.expression != null || length(measure.metrics) == 1])
    error_message = "A measure without an expression has exactly one metric."
  }
}
