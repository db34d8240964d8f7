variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false
}

variable "product" {
  description = "Product whose services are shown, such as `duolingo`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the product."
  type        = string
  nullable    = false
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "services" {
  description = "Kind of each service of the product, by the service's name: `{ api = \"web\", mailer = \"worker-daemon\" }`."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.services) >= 1 && length(var.services) <= 25
    error_message = "A fleet has from 1 to 25 services: an alarm widget shows 100 alarms, and a web service has four."
  }

  validation {
    condition     = alltrue([for kind in values(var.services) : contains(module.names.contract.kinds, kind)])
    error_message = "The kind of a service is one of ${join(", ", module.names.contract.kinds)}."
  }
}

variable "clock_function_arn" {
  description = "Function of the clock; null to look it up."
  type        = string
  default     = null
}
