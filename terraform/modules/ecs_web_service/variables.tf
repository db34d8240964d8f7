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
  description = "MiB at which the kernel kills the container; null for half as much again as `memory`, at least 128 MiB more. On Fargate it is the size of the task, so the CloudWatch agent's share is part of it, and null rounds up to a size that Fargate offers."
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
  description = "Page with an entry for each alarm, which an alarm links to with its name as the anchor; null for `docs/playbook.md` of the service's repository."
  type        = string
  default     = null
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
  description = "Capacity provider of the cluster; null for the cluster's own of EC2 instances, or `FARGATE`, and on spot for `FARGATE_SPOT`, or that of spot instances."
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
  description = "Whether tasks run on spot capacity, and so need the longer drain."
  type        = bool
  default     = false
  nullable    = false
}

variable "internal" {
  description = "Whether only the VPC reaches the service; else the internet does."
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
  description = "Subnets of the tasks on Fargate, and of an internal load balancer of the service's own; null to look them up."
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

variable "metrics_agent_image" {
  description = "Image of the CloudWatch agent that takes the service's statsd metrics; null for no agent, and then `environment_variables` may say where metrics go."
  type        = string
  # https://gallery.ecr.aws/cloudwatch-agent/cloudwatch-agent
  default = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300066.1b1374"
}

variable "timing" {
  description = "Seconds in place of those of the contract's timing table, for a service that answers slowly; null for the table."
  type = object({
    drain                = optional(number)
    stop                 = optional(number)
    stop_timeout         = optional(number)
    deregistration_delay = optional(number)
  })
  default = null
}

variable "load_balancer" {
  description = "`shared` for a rule on the environment's load balancer, `own` for a load balancer of the service's own."
  type        = string
  default     = "shared"
  nullable    = false

  validation {
    condition     = contains(["shared", "own"], var.load_balancer)
    error_message = "load_balancer is shared or own."
  }

  validation {
    condition     = var.load_balancer == "shared" || var.load_balancer_listener_arn == null && var.load_balancer_security_group_ids == null
    error_message = "With load_balancer = \"own\" there is no other one whose listener or security groups could be given."
  }
}

variable "certificate_arn" {
  description = "Certificate of the service's own load balancer; null for plain HTTP, which only an internal one may speak."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || var.load_balancer == "own"
    error_message = "certificate_arn is for a load balancer of the service's own; the shared one has its certificates already."
  }

  validation {
    condition     = var.certificate_arn != null || var.internal || var.load_balancer == "shared"
    error_message = "A load balancer that the internet reaches speaks HTTPS: give it certificate_arn."
  }
}

variable "access_logs_bucket" {
  description = "Bucket for a line about each request to the service's own load balancer; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.access_logs_bucket == null || var.load_balancer == "own"
    error_message = "access_logs_bucket is for a load balancer of the service's own."
  }
}

variable "deletion_protection" {
  description = "Whether the service's own load balancer has to be unprotected before it can be deleted; null for whether the environment is `prod`."
  type        = bool
  default     = null
}

variable "listener_rule_priority" {
  description = "Place of the service's rule on the listener, where the least number is asked first; null for behind the others. A rule for a path comes before one for all of the same host."
  type        = number
  default     = null

  validation {
    condition     = var.listener_rule_priority == null ? true : floor(var.listener_rule_priority) == var.listener_rule_priority && var.listener_rule_priority >= 1 && var.listener_rule_priority <= 50000
    error_message = "listener_rule_priority is a whole number from 1 to 50000."
  }
}

variable "public_subnet_ids" {
  description = "Subnets of an external load balancer of the service's own; null to look them up."
  type        = list(string)
  default     = null
}

variable "cluster_security_group_id" {
  description = "Security group of the cluster's instances, which admits a load balancer of the service's own on EC2; null to look it up."
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

  validation {
    condition     = var.load_balancer_security_group_ids == null ? true : length(var.load_balancer_security_group_ids) > 0
    error_message = "load_balancer_security_group_ids holds at least one group, or nobody reaches the tasks; null reads them from the load balancer."
  }
}

variable "repositories_url" {
  description = "Address below which the repositories are, for links; null to look it up."
  type        = string
  default     = null
}

variable "sentry_url" {
  description = "Address of the organisation in Sentry, for links, or `none`; null to look it up."
  type        = string
  default     = null
}

variable "clock_function_arn" {
  description = "Function of the clock on the dashboard; null to look it up."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Whether the cluster has Container Insights; without it the dashboard counts running tasks by the samples of their CPU metric."
  type        = bool
  default     = true
  nullable    = false
}

variable "availability_objective" {
  description = "Per cent of requests that are to succeed over 30 days, from 95 to 99.99."
  type        = number
  default     = 99.9
  nullable    = false
}

variable "latency_objective" {
  description = "Per cent of requests that are to be answered within `latency_threshold_seconds` over 30 days, from 95 to 99.99."
  type        = number
  default     = 99.9
  nullable    = false
}
