variable "environment" {
  description = "Environment whose states it holds, such as `prod`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the bucket; becomes a billing tag."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key that states are encrypted with; null for S3's own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key of KMS."
  }
}

variable "old_versions_days" {
  description = "Days for which a state that was overwritten can be brought back."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.old_versions_days >= 7 && floor(var.old_versions_days) == var.old_versions_days
    error_message = "old_versions_days is a whole number of days from 7."
  }
}
