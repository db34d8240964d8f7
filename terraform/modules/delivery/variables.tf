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
  description = "Team or person that owns the service; becomes a billing tag."
  type        = string
  nullable    = false
}

variable "environments" {
  description = "Environments of the service that are in this account and region."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.environments) > 0 && length(distinct(var.environments)) == length(var.environments)
    error_message = "environments lists at least one environment, and each once."
  }
}

variable "kind" {
  description = "Kind of the service: `web`, `worker-daemon` or `worker-cron`; the pipeline may make what that kind has."
  type        = string
  nullable    = false

  validation {
    condition     = contains(local.kinds, var.kind)
    error_message = "kind is one of ${join(", ", local.kinds)}."
  }
}

variable "data_stores" {
  description = "Data stores of the service, as the template calls them: `postgres`, `redis`, `memcached`, `elasticsearch`."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.data_stores, keys(local.data_store_permissions))) == 0
    error_message = "data_stores holds only ${join(", ", keys(local.data_store_permissions))}."
  }
}

variable "subservices" {
  description = "Subservices of data stores that are not called as in the template, by data store."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.subservices), var.data_stores)) == 0
    error_message = "subservices names only what data_stores lists."
  }
}

variable "github_repository" {
  description = "Repository whose GitHub Actions deliver the service, as `organisation/repository`; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository is organisation/repository, and holds no wildcard."
  }
}

variable "github_oidc_provider_arn" {
  description = "Identity provider token.actions.githubusercontent.com of the account; null for the one that has this URL."
  type        = string
  default     = null
}

variable "main_branch" {
  description = "Branch that images are built from."
  type        = string
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.main_branch))
    error_message = "main_branch is the name of one branch, without a wildcard."
  }
}

variable "trusted_role_arns" {
  description = "Roles of another CI, such as those of Jenkins' agents or of Atlantis, that may deliver the service."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.trusted_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "trusted_role_arns holds ARNs of roles, without a wildcard."
  }

  validation {
    condition     = var.github_repository != null || length(var.trusted_role_arns) > 0
    error_message = "Somebody has to deliver the service: give github_repository, or trusted_role_arns, or both."
  }
}

variable "permissions_json" {
  description = "Policy with what the pipeline needs for Terraform of the service's own; null for nothing more."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_json == null ? true : can(jsondecode(var.permissions_json).Statement)
    error_message = "permissions_json is an IAM policy in JSON."
  }
}

variable "kms_key_arn" {
  description = "Key that images are encrypted with; null for ECR's own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key of KMS."
  }
}

variable "keep_images" {
  description = "Newest images that are kept; none that runs, or may be rolled back to, may be older."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.keep_images >= 20 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images is a whole number from 20."
  }
}
