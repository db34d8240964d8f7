variable "name" {
  description = "What is promised: `availability` or `latency`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["availability", "latency"], var.name)
    error_message = "name is availability or latency."
  }
}

variable "objective" {
  description = "Per cent of events that are to be good, over 30 days."
  type        = number
  default     = 99.9
  nullable    = false

  validation {
    # Below 95 % the fast alarm would wait for more bad events than there are events.
    condition     = var.objective >= 95 && var.objective <= 99.99
    error_message = "An objective is a number from 95 to 99.99: a promise above that allows less than five minutes of trouble in a month, which no person can react to."
  }
}

variable "metrics" {
  description = "Metrics that `bad_percent` and `bad` are made of, by id."
  type = map(object({
    namespace  = string
    name       = string
    statistic  = string
    dimensions = map(string)
  }))
  nullable = false
}

variable "bad_percent" {
  description = "Per cent of events in a period that are bad, as metric math; 0 where there are no events."
  type        = string
  nullable    = false
}

variable "bad" {
  description = "Number of bad events in a period, as metric math."
  type        = string
  nullable    = false
}

variable "least_bad" {
  description = "Bad events in a long window below which no alarm rings: with few events, one bad one is a large part of them."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = floor(var.least_bad) == var.least_bad && var.least_bad >= 1
    error_message = "least_bad is a whole number from 1."
  }
}
