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

  # Where it is also what the instances' begin with, a hyphen and a number of two digits need room.
  validation {
    condition = var.cluster_identifier == null ? true : (
      can(regex("^(?:${module.names.contract.resources.database_cluster.legal})$", var.cluster_identifier))
      && length(var.cluster_identifier) <= module.names.contract.resources.database_cluster.limit - (var.identifier == null ? 3 : 0)
    )
    error_message = "cluster_identifier is lower-case letters, digits and single hyphens, begins with a letter and has at most ${module.names.contract.resources.database_cluster.limit} characters, or three fewer without identifier."
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
  description = "Version of the engine, or the first part of one; null for PostgreSQL 16 or MySQL 8.0, of which AWS takes the newest."
  type        = string
  default     = null

  # From 8.4 on it has MySQL's own number: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.MySQL84.html
  validation {
    condition = var.engine_version == null ? true : can(regex(
      var.engine == "aurora-mysql" ? "^(?:(?:5\\.7|8\\.0)(?:\\.mysql_aurora\\.[0-9]+\\.[0-9]+\\.[0-9]+)?|8\\.4(?:\\.[0-9]+)?)$" : "^[1-9][0-9]?(?:\\.[0-9]+){0,2}$",
      var.engine_version,
    ))
    error_message = "engine_version is a version such as 16 or 16.4 with aurora-postgresql, and 8.0, 8.0.mysql_aurora.3.08.0 or 8.4.7 with aurora-mysql."
  }
}

variable "allow_major_version_upgrade" {
  description = "Whether another major version in `engine_version` may be moved to."
  type        = bool
  default     = false
  nullable    = false
}

variable "name" {
  description = "Name of the first database."
  type        = string
  nullable    = false

  validation {
    condition = (
      can(regex("^[a-z][a-z0-9_]{0,62}$", var.name))
      && !contains(["information_schema", "innodb", "mysql", "performance_schema", "postgres", "rdsadmin", "sys", "template0", "template1", "tmp"], var.name)
    )
    error_message = "name is lower-case letters, digits and underscores, begins with a letter, has at most 63 characters and is no database of the engine's own."
  }
}

variable "instance_class" {
  description = "Class of each instance, such as `db.r6g.large`, or `db.serverless`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^db\\.(?:serverless|t(?:2|3|4g)\\.(?:small|medium|large)|[rx][1-9][0-9]*[a-z]*\\.(?:large|xlarge|[1-9][0-9]*xlarge))$", var.instance_class))
    error_message = "instance_class is one of Aurora's classes: db.serverless, or a t, r or x class such as db.t4g.medium or db.r6g.large."
  }
}

variable "serverless_capacity" {
  description = "Least and most Aurora capacity units (2 GiB of memory each) of an instance of class `db.serverless`; null for other classes."
  type = object({
    min = number
    max = number
  })
  default = null

  validation {
    condition     = (var.serverless_capacity != null) == (var.instance_class == "db.serverless")
    error_message = "serverless_capacity is given with instance_class db.serverless, and with no other."
  }

  validation {
    condition = var.serverless_capacity == null ? true : (
      alltrue([for units in values(var.serverless_capacity) : floor(units * 2) == units * 2])
      && var.serverless_capacity.min >= 0
      && var.serverless_capacity.max >= 1
      && var.serverless_capacity.min <= var.serverless_capacity.max
      && var.serverless_capacity.max <= 256
    )
    error_message = "serverless_capacity goes in steps of 0.5 from a min of at least 0 to a max from 1 to 256."
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
  description = "Master user."
  type        = string
  default     = "dbadmin"
  nullable    = false

  validation {
    condition = (
      can(regex("^[a-zA-Z][a-zA-Z0-9_]{0,15}$", var.master_username))
      && !contains(["admin", "rdsadmin", "rdsrepladmin"], lower(var.master_username))
    )
    error_message = "master_username is letters, digits and underscores, begins with a letter, has at most 16 characters and is not admin, rdsadmin or rdsrepladmin."
  }
}

variable "password" {
  description = "Master user's password, which is in no plan and no state; null for one that Secrets Manager makes, keeps and rotates."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
  validation {
    condition     = var.password == null ? true : can(regex("^[ !#-.0-?A-~]{8,41}$", var.password))
    error_message = "password has 8 to 41 printable ASCII characters, none of which is a slash, a double quote or an at sign."
  }
}

variable "password_version" {
  description = "Given with `password`, a number to raise whenever it is changed: Terraform cannot see a change of what it does not keep."
  type        = number
  default     = null

  validation {
    condition     = (var.password_version != null) == (var.password != null)
    error_message = "password and password_version are given together: begin with password_version = 1. Without either, Secrets Manager makes the password."
  }

  validation {
    condition     = var.password_version == null ? true : floor(var.password_version) == var.password_version && var.password_version >= 1
    error_message = "password_version is a whole number from 1."
  }
}

variable "iam_user" {
  description = "Database user that services sign in as by IAM, and that has been granted `rds_iam`; null to sign in as the master user by its secret."
  type        = string
  default     = null

  validation {
    condition     = var.iam_user == null ? true : can(regex("^[a-z_][a-z0-9_]{0,30}$", var.iam_user)) && var.iam_user != var.master_username
    error_message = "iam_user is lower-case letters, digits and underscores, has at most 31 characters and is not the master user."
  }
}

variable "kms_key_arn" {
  description = "KMS key of storage, Performance Insights and the master user's secret; null for those that AWS manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key."
  }
}

variable "parameters" {
  description = "Parameters of the cluster besides, or in place of, the standard ones. A static one has the `apply_method` pending-reboot."
  type = map(object({
    value        = string
    apply_method = optional(string, "immediate")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(setintersection(keys(var.parameters), ["rds.force_ssl", "require_secure_transport"])) == 0
    error_message = "Connections are always encrypted: parameters has neither rds.force_ssl nor require_secure_transport."
  }

  validation {
    condition     = alltrue([for parameter in values(var.parameters) : contains(["immediate", "pending-reboot"], parameter.apply_method)])
    error_message = "apply_method is immediate or pending-reboot."
  }
}

variable "slow_query_milliseconds" {
  description = "A statement that takes longer is logged."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = floor(var.slow_query_milliseconds) == var.slow_query_milliseconds && var.slow_query_milliseconds >= 1 && var.slow_query_milliseconds <= 60000
    error_message = "slow_query_milliseconds is a whole number from 1 to 60000."
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

variable "backup_window" {
  description = "Daily time of the backup in UTC."
  type        = string
  default     = "03:00-03:30"
  nullable    = false

  validation {
    condition     = can(regex("^(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "backup_window is two times of a day in UTC, such as 03:00-03:30."
  }
}

variable "maintenance_window" {
  description = "Weekly time of maintenance in UTC, which does not overlap the backup's."
  type        = string
  default     = "sun:04:00-sun:05:00"
  nullable    = false

  validation {
    condition     = can(regex("^(?:mon|tue|wed|thu|fri|sat|sun):(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:mon|tue|wed|thu|fri|sat|sun):(?:[01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window is two times of a week in UTC, such as sun:04:00-sun:05:00."
  }
}

variable "apply_immediately" {
  description = "Whether changes wait for no maintenance window; null for true but in `prod`."
  type        = bool
  default     = null
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the cluster; null for `prod` only."
  type        = bool
  default     = null
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "allowed_security_group_ids" {
  description = "Security groups that may connect; null for that of the cluster's instances, looked up."
  type        = list(string)
  default     = null
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

variable "contact" {
  description = "E-mail address named in each alarm; null for none."
  type        = string
  default     = null
}

variable "playbook_url" {
  description = "Page with an entry for each alarm; null for the service's in its repository, whose address is looked up."
  type        = string
  default     = null
}

variable "emergency_topic_arn" {
  description = "SNS topic that pages; null to look it up."
  type        = string
  default     = null
}

variable "warning_topic_arn" {
  description = "SNS topic that sends e-mail; null to look it up."
  type        = string
  default     = null
}
