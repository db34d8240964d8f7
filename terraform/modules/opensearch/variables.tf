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

variable "engine_version" {
  description = "Version of the engine."
  type        = string
  default     = "OpenSearch_2.19"
  nullable    = false

  validation {
    condition     = can(regex("^(?:OpenSearch|Elasticsearch)_[0-9]+\\.[0-9]+$", var.engine_version))
    error_message = "engine_version is OpenSearch_ or Elasticsearch_ and a version such as 2.19."
  }
}

variable "instance_type" {
  description = "Type of each node."
  type        = string
  default     = "m7g.medium.search"
  nullable    = false

  # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html
  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+\\.search$", var.instance_type)) && !can(regex("^(?:t2|m3|r3|i2)\\.", var.instance_type))
    error_message = "instance_type is a type of nodes such as m7g.medium.search, and not of the t2, m3, r3 and i2 generations, which do not encrypt or have disks of their own only."
  }
}

variable "instance_count" {
  description = "Number of nodes: from two on they spread over two availability zones, and a multiple of three over three."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.instance_count) == var.instance_count && (var.instance_count == 1 || var.instance_count % 2 == 0 || var.instance_count % 3 == 0) && var.instance_count >= 1 && var.instance_count <= 80
    error_message = "instance_count is 1 or a multiple of 2 or 3 up to 80, so that each availability zone has an equal share."
  }
}

variable "master_instance_type" {
  description = "Type of three dedicated masters, which AWS advises for production; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.master_instance_type == null ? true : can(regex("^[a-z0-9-]+\\.[a-z0-9]+\\.search$", var.master_instance_type)) && !can(regex("^(?:t2|m3|r3|i2)\\.", var.master_instance_type))
    error_message = "master_instance_type is a type of nodes such as m7g.medium.search."
  }
}

variable "volume_size" {
  description = "GiB of disk of each node."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = floor(var.volume_size) == var.volume_size && var.volume_size >= 10 && var.volume_size <= 24576
    error_message = "volume_size is a whole number of GiB from 10 to 24576; AWS allows less with smaller types."
  }
}

variable "kms_key_arn" {
  description = "KMS key of the disks and snapshots; null for one that AWS manages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key."
  }
}

variable "off_peak_hour" {
  description = "Hour of the day in UTC from which AWS has ten hours for updates."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = floor(var.off_peak_hour) == var.off_peak_hour && var.off_peak_hour >= 0 && var.off_peak_hour <= 23
    error_message = "off_peak_hour is a whole number from 0 to 23."
  }
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
