variable "identity" {
  description = "The whole of module `names`, called with what identifies the data store."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
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

variable "port" {
  description = "Port of the data store."
  type        = number
  nullable    = false
}

variable "allowed_security_group_ids" {
  description = "Security groups that may connect; null for that of the cluster's instances, looked up."
  type        = list(string)
  default     = null
}
