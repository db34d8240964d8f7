variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the topics."
  type        = string
  nullable    = false
}

variable "warning_emails" {
  description = "Addresses that get an e-mail for each warning; each must confirm once."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.warning_emails : can(regex("^${module.names.contract.answers.contact.pattern}$", address))])
    error_message = "warning_emails holds e-mail addresses, such as team@example.com."
  }
}

variable "emergency_emails" {
  description = "Addresses that get an e-mail for each emergency, besides whom the topic pages; each must confirm once."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.emergency_emails : can(regex("^${module.names.contract.answers.contact.pattern}$", address))])
    error_message = "emergency_emails holds e-mail addresses, such as team@example.com."
  }
}
