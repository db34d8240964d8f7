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

variable "rotation" {
  description = "Layers of the schedule, of which the last that covers a moment counts: the people (e-mail addresses) in the order of their turns, the first hand-over, the hours of a turn, and, if it is not all the time, the part of each day or week."
  type = list(object({
    name        = string
    people      = list(string)
    start       = string
    shift_hours = optional(number, 168)
    restriction = optional(object({
      start_time = string
      hours      = number
      start_day  = optional(number)
    }))
  }))
  nullable = false

  validation {
    condition     = length(var.rotation) > 0 && alltrue([for layer in var.rotation : length(layer.people) > 0])
    error_message = "rotation has at least one layer, and each layer at least one person."
  }

  validation {
    condition     = length(distinct(var.rotation[*].name)) == length(var.rotation)
    error_message = "Each layer of rotation has a name of its own."
  }

  validation {
    condition     = alltrue([for person in flatten(var.rotation[*].people) : can(regex("^(?:${local.contact.pattern})$", person))])
    error_message = "People are named by their e-mail addresses in PagerDuty. ${local.contact.rule}"
  }

  validation {
    # PagerDuty takes no seconds.
    condition     = alltrue([for start in var.rotation[*].start : can(timeadd(start, "0s")) && can(regex("T[0-9]{2}:[0-9]{2}:00(?:Z|[+-][0-9]{2}:[0-9]{2})$", start))])
    error_message = "The start of a layer is a time such as 2026-01-05T09:00:00-05:00 (RFC 3339), to the minute."
  }

  validation {
    # The provider's own limits.
    condition     = alltrue([for hours in var.rotation[*].shift_hours : hours >= 1 && hours <= 8760 && floor(hours) == hours])
    error_message = "shift_hours is a whole number from 1 to 8760 (a year)."
  }

  validation {
    condition = alltrue([
      for restriction in [for layer in var.rotation : layer.restriction if layer.restriction != null] : (
        can(regex("^(?:[01][0-9]|2[0-3]):[0-5][0-9]:00$", restriction.start_time))
        && restriction.hours > 0 && restriction.hours < (restriction.start_day == null ? 24 : 168)
        && (restriction.start_day == null ? true : contains(range(1, 8), restriction.start_day))
      )
    ])
    error_message = "A restriction has a start_time such as 09:00:00 and hours of fewer than 24, or with a start_day from 1 (Monday) to 7 of fewer than 168."
  }
}

variable "escalation" {
  description = "Who is paged, level by level (e-mail addresses), when the one on call does not answer."
  type        = list(list(string))
  nullable    = false

  validation {
    # https://developer.pagerduty.com/api-reference: a rule has 1 to 10 targets.
    condition     = length(var.escalation) > 0 && alltrue([for level in var.escalation : length(level) >= 1 && length(level) <= 10])
    error_message = "escalation has at least one level, and each level from 1 to 10 people: a page that nobody answers has to reach somebody else."
  }

  validation {
    condition     = alltrue([for person in flatten(var.escalation) : can(regex("^(?:${local.contact.pattern})$", person))])
    error_message = "People are named by their e-mail addresses in PagerDuty. ${local.contact.rule}"
  }
}

variable "escalation_minutes" {
  description = "Minutes that each level has to answer."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.escalation_minutes >= 1 && var.escalation_minutes <= 60 && floor(var.escalation_minutes) == var.escalation_minutes
    error_message = "escalation_minutes is a whole number from 1 to 60."
  }
}

variable "time_zone" {
  description = "Time zone of the schedule and of the support hours, such as `America/New_York`."
  type        = string
  default     = "Etc/UTC"
  nullable    = false

  validation {
    # All zones of PagerDuty have the form of area and city.
    condition     = can(regex("^[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z0-9_+-]*){1,2}$", var.time_zone))
    error_message = "time_zone is a name such as America/New_York; PagerDuty knows no UTC, but Etc/UTC."
  }
}

variable "support_hours" {
  description = "Days (1 is Monday) and hours in which a page is urgent; at other times it waits with low urgency until they begin. Null for always urgent."
  type = object({
    days  = set(number)
    start = string
    end   = string
  })
  default = null

  validation {
    condition = var.support_hours == null ? true : (
      length(var.support_hours.days) > 0
      && length(setsubtract(var.support_hours.days, range(1, 8))) == 0
      && alltrue([for time in [var.support_hours.start, var.support_hours.end] : can(regex("^(?:[01][0-9]|2[0-3]):[0-5][0-9]:00$", time))])
      && var.support_hours.start != var.support_hours.end
    )
    error_message = "support_hours has days from 1 (Monday) to 7, and a start and an end such as 09:00:00 and 17:00:00."
  }
}

variable "slack" {
  description = "Slack workspace and channel that hear of every page; null for none. Needs a user's token, and the workspace connected to PagerDuty by hand."
  type = object({
    workspace_id = string
    channel_id   = string
  })
  default = null

  validation {
    condition = var.slack == null ? true : (
      can(regex("^T[A-Z0-9]{8,}$", var.slack.workspace_id)) && can(regex("^[CG][A-Z0-9]{8,}$", var.slack.channel_id))
    )
    error_message = "slack takes ids, not names: a workspace such as T02A123LV1A and a channel such as C02CABCDAC9."
  }
}

variable "subservices" {
  description = "Data stores of the service whose alarms page too, such as `db`."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "further_alarm_names" {
  description = "Names of further alarms of the emergency topic that page, beside the contract's."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "emergency_topic_arn" {
  description = "SNS topic of the emergency alarms; null to look it up."
  type        = string
  default     = null

  validation {
    condition     = var.emergency_topic_arn == null ? true : can(regex("^arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.emergency_topic_arn))
    error_message = "emergency_topic_arn is an SNS topic such as arn:aws:sns:us-east-1:123456789012:emergency."
  }
}
