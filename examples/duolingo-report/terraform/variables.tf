# Template-owned.
variable "environment" {
  description = "The environment, a key of local.sizes."
  type        = string

  validation {
    condition     = contains(keys(local.sizes), var.environment)
    error_message = "The environment is one of those in sizes.tf: ${join(", ", keys(local.sizes))}."
  }
}

variable "service_version" {
  description = "The image's tag, which is the commit it was built from."
  type        = string
}
