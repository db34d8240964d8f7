variable "product" {
  description = "Product that the service belongs to, such as `duolingo`."
  type        = string
  nullable    = false

  validation {
    condition = (
      can(regex("^(?:${local.rules.product.pattern})$", var.product))
      && length(var.product) <= local.rules.product.maximum_length
      && !contains(local.rules.product.reserved, var.product)
    )
    error_message = local.rules.product.rule
  }
}

variable "service" {
  description = "Service within the product, such as `api`."
  type        = string
  nullable    = false

  # Only here: two variables whose rules name each other are a cycle to Terraform.
  validation {
    condition = (
      can(regex("^(?:${local.rules.service.pattern})$", var.service))
      && length(var.service) <= local.rules.service.maximum_length
      && !contains(local.rules.service.reserved, var.service)
      && length("${var.product}-${var.service}") <= local.rules.product_service.maximum_length
    )
    error_message = local.rules.service.rule
  }
}

variable "subservice" {
  description = "Data store of the service, such as `db`; null for anything else."
  type        = string
  default     = null

  validation {
    condition = var.subservice == null ? true : (
      can(regex("^(?:${local.rules.subservice.pattern})$", var.subservice))
      && length(var.subservice) <= local.rules.subservice.maximum_length
      && !contains(local.rules.subservice.reserved, var.subservice)
    )
    error_message = local.rules.subservice.rule
  }
}

variable "environment" {
  description = "Environment, such as `prod`."
  type        = string
  nullable    = false

  validation {
    condition = (
      can(regex("^(?:${local.rules.environment.pattern})$", var.environment))
      && length(var.environment) <= local.rules.environment.maximum_length
      && !contains(local.rules.environment.reserved, var.environment)
    )
    error_message = local.rules.environment.rule
  }
}

variable "owner" {
  description = "Team or person that owns the service; becomes a billing tag."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:${local.contract.answers.owner.pattern})$", var.owner))
    error_message = local.contract.answers.owner.rule
  }
}

variable "account_id" {
  description = "AWS account id, for names that are global; null leaves those out."
  type        = string
  default     = null
}

variable "region" {
  description = "AWS region, for names that are global; null leaves those out."
  type        = string
  default     = null
}
