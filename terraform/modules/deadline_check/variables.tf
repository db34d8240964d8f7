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
  description = "Where the check runs: `partition`, `region` and `account_id`."
  type = object({
    partition  = string
    region     = string
    account_id = string
  })
  nullable = false
}

variable "schedule_group" {
  description = "Group of the service's schedules."
  type        = string
  nullable    = false
}

variable "metric" {
  description = "Metric without dimensions that has a data point for each finished run, and none otherwise."
  type = object({
    namespace = string
    name      = string
  })
  nullable = false
}

variable "hours" {
  description = "Hours without a finished run, after which the check fails."
  type        = number
  nullable    = false

  validation {
    condition     = floor(var.hours) == var.hours && var.hours >= 1 && var.hours <= 400 * 24
    error_message = "The deadline is a whole number of hours from 1 to 9600 (400 days): CloudWatch keeps data points for 455 days."
  }
}
