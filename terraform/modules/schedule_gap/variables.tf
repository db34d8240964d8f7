variable "schedule" {
  description = "A schedule of EventBridge Scheduler, `cron(...)` or `rate(...)`, in the form that the contract accepts."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:cron|rate)\\([^()]+\\)$", var.schedule))
    error_message = "A schedule is cron(...) or rate(...)."
  }
}
