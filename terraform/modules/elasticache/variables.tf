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

variable "engine" {
  description = "`redis` or `memcached`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["redis", "memcached"], var.engine)
    error_message = "engine is redis or memcached."
  }
}

variable "engine_version" {
  description = "Version of the engine; null for redis 7.1 or memcached 1.6.22."
  type        = string
  default     = null

  # Each in the form in which AWS names it, and none without encryption in transit.
  validation {
    condition = var.engine_version == null ? true : (
      var.engine == "redis"
      ? can(regex("^(?:6\\.2|7\\.[01])$", var.engine_version))
      : can(regex("^1\\.6\\.(?:1[2-9]|[2-9][0-9])$", var.engine_version))
    )
    error_message = "engine_version is 6.2, 7.0 or 7.1 with redis, and from 1.6.12 on with memcached."
  }
}

variable "node_type" {
  description = "Type of each node."
  type        = string
  default     = "cache.t4g.small"
  nullable    = false

  validation {
    # Nodes of the first generations encrypt nothing.
    condition     = can(regex("^cache\\.[a-z0-9-]+\\.[a-z0-9]+$", var.node_type)) && !can(regex("^cache\\.(?:[cmr]1|t1|m2|m3|r3)\\.", var.node_type))
    error_message = "node_type is a type of nodes such as cache.t4g.small, of a generation that encrypts."
  }
}

variable "num_nodes" {
  description = "Number of nodes: for redis a primary and replicas."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.num_nodes) == var.num_nodes && var.num_nodes >= 1 && var.num_nodes <= (var.engine == "redis" ? 6 : 40)
    error_message = "num_nodes is a whole number from 1 to 6 for redis and to 40 for memcached."
  }
}

variable "maxmemory_policy" {
  description = "What redis does when its memory is full: `volatile-lru` evicts keys that have an expiry, `noeviction` refuses writes. Null with memcached, which evicts always."
  type        = string
  default     = "volatile-lru"

  validation {
    condition = var.maxmemory_policy == null ? true : contains(
      ["allkeys-lfu", "allkeys-lru", "allkeys-random", "noeviction", "volatile-lfu", "volatile-lru", "volatile-random", "volatile-ttl"],
      var.maxmemory_policy,
    )
    error_message = "maxmemory_policy is allkeys-lfu, allkeys-lru, allkeys-random, noeviction, volatile-lfu, volatile-lru, volatile-random or volatile-ttl."
  }
}

variable "parameters" {
  description = "Parameters of the engine besides the standard ones."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !contains(keys(var.parameters), "maxmemory-policy")
    error_message = "maxmemory-policy is given as maxmemory_policy."
  }
}

variable "snapshot_retention_days" {
  description = "Days that redis's snapshots are kept, 0 for none; null for 7 in `prod` and none elsewhere. memcached has none."
  type        = number
  default     = null

  validation {
    condition     = var.snapshot_retention_days == null ? true : var.engine == "redis" && floor(var.snapshot_retention_days) == var.snapshot_retention_days && var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days is a whole number from 0 to 35, and only with redis."
  }
}

variable "snapshot_window" {
  description = "Daily time of the snapshot in UTC."
  type        = string
  default     = "03:00-04:00"
  nullable    = false

  validation {
    condition     = can(regex("^(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]$", var.snapshot_window))
    error_message = "snapshot_window is two times of a day in UTC, such as 03:00-04:00."
  }
}

variable "maintenance_window" {
  description = "Weekly time of maintenance in UTC, which does not overlap the snapshot's."
  type        = string
  default     = "sun:04:30-sun:05:30"
  nullable    = false

  validation {
    condition     = can(regex("^(?:mon|tue|wed|thu|fri|sat|sun):(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:mon|tue|wed|thu|fri|sat|sun):(?:[01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window is two times of a week in UTC, such as sun:04:30-sun:05:30."
  }
}

variable "apply_immediately" {
  description = "Whether changes wait for no maintenance window; null for true but in `prod`."
  type        = bool
  default     = null
}

variable "kms_key_arn" {
  description = "KMS key of redis's disks and snapshots; null for one that AWS manages. memcached has neither."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : var.engine == "redis" && can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key, and only with redis."
  }
}

variable "user_group_id" {
  description = "Group of redis users that may sign in; null for everybody whom the network lets through."
  type        = string
  default     = null

  validation {
    condition     = var.user_group_id == null ? true : var.engine == "redis"
    error_message = "memcached knows no users: user_group_id is only with redis."
  }
}

variable "log_retention_days" {
  description = "Days that redis's log lines are kept."
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
