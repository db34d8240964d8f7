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
  description = "Kind of service or of data store, one of the contract's."
  type        = string
  nullable    = false

  validation {
    condition     = contains(concat(var.identity.contract.kinds, var.identity.contract.data_store_kinds), var.kind)
    error_message = "kind is one of ${join(", ", concat(var.identity.contract.kinds, var.identity.contract.data_store_kinds))}."
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
  description = "What each metric alarm of the kind watches, by the alarm's name. Without `expression` there is exactly one metric."
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

  validation {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    condition     = alltrue([for measure in values(var.measures) : measure.period * measure.periods <= (measure.period < 3600 ? 86400 : 604800)])
    error_message = "CloudWatch looks back one day at most, and seven days with a period of an hour or more."
  }

  validation {
    condition     = alltrue([for measure in values(var.measures) : alltrue([for id in keys(measure.metrics) : can(regex("^[a-z][a-zA-Z0-9_]*$", id)) && id != "result"])])
    error_message = "The id of a metric begins with a lower-case letter, has only letters, digits and underscores, and is not result."
  }
}

variable "parts" {
  description = "Alarms that only composite alarms need, by the last part of their name: the composite that each is part `of`, and its measure, as in `measures`."
  type = map(object({
    of = string
    measure = object({
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
    })
  }))
  default  = {}
  nullable = false
}

variable "composites" {
  description = "Alarms made of others, by their name: one rings while all alarms of any of its lists ring, and stays silent while its `suppressor` rings. Lists and suppressor name measures and parts, and a suppressor also a composite without one."
  type = map(object({
    any_of     = list(list(string))
    suppressor = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(flatten([for composite in values(var.composites) : composite.any_of]), concat(keys(var.measures), keys(var.parts)))) == 0
    error_message = "A composite is made of measures and parts."
  }

  # Here, because two variables whose rules name each other are a cycle to Terraform.
  validation {
    condition     = alltrue([for part in values(var.parts) : contains(keys(var.composites), part.of)])
    error_message = "A part is part of one of the composites."
  }

  validation {
    condition = alltrue([
      for composite in values(var.composites) : composite.suppressor == null ? true : contains(
        concat(keys(var.measures), [for name, other in var.composites : name if other.suppressor == null]), composite.suppressor,
      )
    ])
    error_message = "A suppressor is one of the measures, or a composite that has no suppressor itself."
  }
}

variable "without" {
  description = "Alarms of the kind that there is nothing to watch for, such as those of a queue where there is none."
  type        = set(string)
  default     = []
  nullable    = false
}
