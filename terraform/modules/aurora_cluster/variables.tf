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
  description = "Service that owns the data store, such as `api`."
  type        = string
  nullable    = false
}

variable "subservice" {
  description = "Name of the data store within the service, such as `db`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the service."
  type        = string
  nullable    = false
}

variable "cluster_identifier" {
  description = "Identifier of the cluster; null for `{product}-{service}-{subservice}-{environment}`."
  type        = string
  default     = null

  validation {
    condition = var.cluster_identifier == null ? true : (
      can(regex("^(?:${module.names.contract.resources.database_cluster.legal})$", var.cluster_identifier))
      && length(var.cluster_identifier) <= module.names.contract.resources.database_cluster.limit
    )
    error_message = "cluster_identifier is lower-case letters, digits and single hyphens, begins with a letter and has at most ${module.names.contract.resources.database_cluster.limit} characters."
  }
}

variable "identifier" {
  description = "What the identifier of each instance begins with, before its number; null for the cluster's."
  type        = string
  default     = null

  # Less room than the cluster's, for a hyphen and a number of two digits.
  validation {
    condition = var.identifier == null ? true : (
      can(regex("^(?:${module.names.contract.resources.database_cluster.legal})$", var.identifier))
      && length(var.identifier) <= module.names.contract.resources.database_cluster.limit - 3
    )
    error_message = "identifier is lower-case letters, digits and single hyphens, begins with a letter and has at most ${module.names.contract.resources.database_cluster.limit - 3} characters."
  }
}

variable "engine" {
  description = "`aurora-postgresql` or `aurora-mysql`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["aurora-postgresql", "aurora-mysql"], var.engine)
    error_message = "engine is aurora-postgresql or aurora-mysql."
  }
}

variable "engine_version" {
  description = "Version of the engine; null for the one that AWS prefers."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the first database."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.name))
    error_message = "name is lower-case letters, digits and underscores, begins with a letter and has at most 63 characters."
  }
}

variable "instance_class" {
  description = "Class of each instance, such as `db.r6g.large`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9-]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class is a class of instances such as db.r6g.large."
  }
}

variable "num_cluster_instances" {
  description = "Number of instances: one writer, and readers."
  type        = number
  nullable    = false

  validation {
    condition     = floor(var.num_cluster_instances) == var.num_cluster_instances && var.num_cluster_instances >= 1 && var.num_cluster_instances <= 16
    error_message = "num_cluster_instances is a whole number from 1 to 16: a writer and at most 15 readers."
  }
}

variable "master_username" {
  description = "User whose password Secrets Manager keeps and rotates."
  type        = string
  default     = "dbadmin"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9_]{0,15}$", var.master_username))
    error_message = "master_username is letters, digits and underscores, begins with a letter and has at most 16 characters."
  }
}

variable "backup_retention_days" {
  description = "Days that backups are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = floor(var.backup_retention_days) == var.backup_retention_days && var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days is a whole number from 1 to 35."
  }
}

variable "allowed_security_group_ids" {
  description = "Security groups that may connect."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "vpc_id" {
  description = "VPC; null to look it up."
  type        = string
  default     = null
}

variable "private_subnet_ids" {
  description = "Subnets; null to look them up."
  type        = list(string)
  default     = null
}

