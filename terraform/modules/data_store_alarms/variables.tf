variable "identity" {
  description = "The whole of module `names`, called with what identifies the data store."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "kind" {
  description = "Kind of data store, one of the contract's."
  type        = string
  nullable    = false
}

variable "measures" {
  description = "What each alarm of the kind watches, by the alarm's name, as module `alarms` takes it."
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
}

variable "without" {
  description = "Alarms of the kind that there is nothing to watch for."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "contact" {
  description = "E-mail address named in each alarm; null for none."
  type        = string
  default     = null
}

variable "playbook_url" {
  description = "Page with an entry for each alarm; null for the service's in its repository, whose address is looked up."
  type        = string
  default     = null
}

variable "emergency_topic_arn" {
  description = "SNS topic that pages; null to look it up."
  type        = string
  default     = null
}

variable "warning_topic_arn" {
  description = "SNS topic that e-mails; null to look it up."
  type        = string
  default     = null
}
