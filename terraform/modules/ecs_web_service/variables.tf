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
  description = "Service within the product, such as `api`."
  type        = string
  nullable    = false
}

variable "owner" {
  description = "Team or person that owns the service."
  type        = string
  nullable    = false
}

variable "min_count" {
  description = "Least number of tasks, from 1."
  type        = number
  nullable    = false
}

variable "max_count" {
  description = "Greatest number of tasks."
  type        = number
  nullable    = false
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  nullable    = false
}

variable "memory" {
  description = "MiB that a task is meant to live in; baselib takes them for 100 %."
  type        = number
  nullable    = false
}

variable "memory_hard_limit" {
  description = "MiB at which the kernel kills the container; null for half as much again as `memory`, at least 128 MiB more, on Fargate rounded up to a size that it offers."
  type        = number
  default     = null
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "service_version" {
  description = "Tag or digest (`sha256:...`) of the image to run; neither empty nor `latest`."
  type        = string
  nullable    = false
}

variable "image_repository" {
  description = "Repository of the image; null for the ECR repository `{product}-{service}` of this account and region."
  type        = string
  default     = null
}

variable "playbook_url" {
  description = "Page with an entry for each alarm; an alarm links to it with its name as the anchor."
  type        = string
  nullable    = false
}

variable "contact" {
  description = "E-mail address named in each alarm; null for none."
  type        = string
  default     = null
}

variable "launch_type" {
  description = "`EC2` (bridge network) or `FARGATE` (a network interface of its own)."
  type        = string
  default     = "EC2"
  nullable    = false
}

variable "capacity_provider" {
  description = "Capacity provider of the cluster, in place of the launch type; null for none."
  type        = string
  default     = null
}

variable "environment_variables" {
  description = "Environment variables besides those of the contract."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets" {
  description = "Environment variables whose values are read from Secrets Manager or SSM at start: name to ARN."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets_kms_key_arns" {
  description = "Customer-managed keys that the secrets are encrypted with."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "task_policy_json" {
  description = "What the code may do in AWS, as an IAM policy; null for nothing more than the module itself grants."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "spot" {
  description = "Whether tasks run on spot capacity, and so need the longer drain; on Fargate it chooses FARGATE_SPOT."
  type        = bool
  default     = false
  nullable    = false
}

variable "internal" {
  description = "Whether the service is behind the internal load balancer; else the external one."
  type        = bool
  nullable    = false
}

variable "container_port" {
  description = "Port that the service listens on; null for the contract's."
  type        = number
  default     = null

  validation {
    condition     = var.container_port == null ? true : floor(var.container_port) == var.container_port && var.container_port >= 1024 && var.container_port <= 65535
    error_message = "container_port is a whole number from 1024 to 65535: a process without root may not listen below."
  }
}

variable "host" {
  description = "Host name whose requests the service gets; null, without `path`, for `{product}-{service}.{environment}.internal`."
  type        = string
  default     = null

  validation {
    condition     = var.host == null ? true : can(regex("^[A-Za-z0-9*?-]+(?:\\.[A-Za-z0-9*?-]+)*\\.[A-Za-z]+$", var.host)) && length(var.host) <= 128
    error_message = "host is a host name of at most 128 characters that ends in letters; * and ? may stand for others."
  }
}

variable "path" {
  description = "Path pattern whose requests the service gets, such as `/users/*`; null for all."
  type        = string
  default     = null

  validation {
    condition     = var.path == null ? true : can(regex("^/[A-Za-z0-9_.$/~\"'@:+&*?-]*$", var.path)) && length(var.path) <= 128
    error_message = "path begins with / and has at most 128 characters."
  }
}

variable "requests_per_target" {
  description = "Requests a minute and task that scaling aims at."
  type        = number
  default     = 3000
  nullable    = false

  validation {
    condition     = var.requests_per_target > 0
    error_message = "requests_per_target is above 0."
  }
}

variable "latency_threshold_seconds" {
  description = "Seconds that the slowest 1 % of requests may take before the alarm."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.latency_threshold_seconds > 0
    error_message = "latency_threshold_seconds is above 0."
  }
}

variable "vpc_id" {
  description = "VPC; null to look it up."
  type        = string
  default     = null
}

variable "private_subnet_ids" {
  description = "Subnets of the tasks on Fargate; null to look them up."
  type        = list(string)
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

variable "load_balancer_listener_arn" {
  description = "Listener that the service's rule is added to; null to look up the internal or the external one."
  type        = string
  default     = null

  validation {
    condition     = var.load_balancer_listener_arn == null ? true : can(regex("^arn:[a-z-]+:elasticloadbalancing:[^:]+:[0-9]{12}:listener/app/", var.load_balancer_listener_arn))
    error_message = "load_balancer_listener_arn is the ARN of a listener of an Application Load Balancer."
  }
}

variable "load_balancer_security_group_ids" {
  description = "Security groups of the load balancer, which alone reach the tasks on Fargate; null to read them from the load balancer."
  type        = list(string)
  default     = null
}
