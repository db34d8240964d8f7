variable "identity" {
  description = "The whole of module `names`, called with what identifies the service."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "cpu" {
  description = "CPU units of the task; 1024 are one vCPU."
  type        = number
  nullable    = false

  validation {
    condition = (
      floor(var.cpu) == var.cpu
      && var.cpu >= var.identity.contract.answers.cpu.minimum
      && var.cpu <= var.identity.contract.answers.cpu.maximum
    )
    error_message = var.identity.contract.answers.cpu.rule
  }

  validation {
    condition     = var.launch_type != "FARGATE" || contains(keys(local.fargate_memory), tostring(var.cpu))
    error_message = "On Fargate, cpu is one of ${join(", ", sort(keys(local.fargate_memory)))}."
  }
}

variable "memory" {
  description = "MiB that the service is meant to live in; baselib takes them for 100 %."
  type        = number
  nullable    = false

  validation {
    condition = (
      floor(var.memory) == var.memory
      && var.memory >= var.identity.contract.answers.memory.minimum
      && var.memory <= var.identity.contract.answers.memory.maximum
    )
    error_message = var.identity.contract.answers.memory.rule
  }
}

variable "memory_hard_limit" {
  description = "MiB at which the kernel kills the container; null for half as much again as `memory`, at least 128 MiB more. On Fargate it is the size of the task, so the CloudWatch agent's share is part of it, and null rounds up to a size that Fargate offers."
  type        = number
  default     = null

  validation {
    condition     = var.memory_hard_limit == null ? true : floor(var.memory_hard_limit) == var.memory_hard_limit && var.memory_hard_limit > var.memory
    error_message = "memory_hard_limit is a whole number of MiB above memory, so that baselib restarts a worker before the kernel kills it."
  }
}

variable "launch_type" {
  description = "`EC2` or `FARGATE`."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["EC2", "FARGATE"], var.launch_type)
    error_message = "launch_type is EC2 or FARGATE."
  }
}

variable "ecs_cluster" {
  description = "Name of the ECS cluster."
  type        = string
  nullable    = false
}

variable "capacity_provider" {
  description = "Capacity provider of the cluster; null for the cluster's own of EC2 instances, or `FARGATE`, and on spot for `FARGATE_SPOT`, or that of spot instances."
  type        = string
  default     = null

  validation {
    condition     = var.capacity_provider == null ? true : contains(["FARGATE", "FARGATE_SPOT"], var.capacity_provider) == (var.launch_type == "FARGATE")
    error_message = "capacity_provider is FARGATE or FARGATE_SPOT with launch_type FARGATE, and one of instances with EC2."
  }

  validation {
    condition     = var.capacity_provider == null ? true : var.capacity_provider != "FARGATE_SPOT" || var.spot
    error_message = "capacity_provider FARGATE_SPOT needs spot = true, which brings the times that an interruption needs."
  }
}

variable "spot" {
  description = "Whether the task may be interrupted."
  type        = bool
  default     = false
  nullable    = false
}

variable "service_version" {
  description = "Tag or digest (`sha256:...`) of the image."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64})$", var.service_version)) && var.service_version != "latest"
    error_message = "service_version is the tag or digest of one image that never changes, so neither empty nor latest."
  }
}

variable "image_repository" {
  description = "Repository of the image; null for the service's ECR repository in this account and region."
  type        = string
  default     = null

  validation {
    condition     = var.image_repository == null ? true : can(regex("^[^:@\\s/]+(?::[0-9]+)?(?:/[^:@\\s/]+)*$", var.image_repository))
    error_message = "image_repository is a repository without tag or digest, which service_version gives."
  }
}

variable "timing" {
  description = "A case of the contract's timing table."
  type = object({
    drain        = number
    stop         = number
    stop_timeout = number
  })
  nullable = false

  validation {
    condition = (
      var.timing.drain + var.timing.stop + var.identity.contract.timing.margin_seconds <= var.timing.stop_timeout
      && var.timing.stop_timeout <= 120
    )
    error_message = "Drain, stop and margin together never exceed the stop timeout, which is at most 120 s."
  }

  validation {
    condition     = var.timing.drain >= 0 && var.timing.stop >= 0 && floor(var.timing.stop_timeout) == var.timing.stop_timeout
    error_message = "Drain and stop are from 0 s, and the stop timeout is a whole number of seconds."
  }
}

variable "ports" {
  description = "Container ports that are open to others."
  type        = list(number)
  default     = []
  nullable    = false
}

variable "health_check" {
  description = "Whether the container is asked for its health; a task that exits by itself is not."
  type        = bool
  default     = true
  nullable    = false
}

variable "kind_variables" {
  description = "Environment variables that only this kind of service gets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "environment_variables" {
  description = "Environment variables of the caller."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for name in keys(var.environment_variables) :
      can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name)) && !contains(local.own_variables, name) && !contains(keys(var.kind_variables), name)
    ])
    error_message = "environment_variables holds names of letters, digits and underscores, and none that the platform sets: ${join(", ", concat(local.own_variables, keys(var.kind_variables)))}."
  }

  validation {
    condition     = alltrue([for value in values(var.environment_variables) : value != null])
    error_message = "environment_variables holds a value for each name: leave out what is not set."
  }
}

variable "secrets" {
  description = "Environment variables whose values are read from Secrets Manager or SSM at start: name to ARN."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for arn in values(var.secrets) :
      can(regex("^arn:[a-z-]+:(?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+(?::[^:]*:[^:]*:[^:]*)?|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]+)$", arn))
    ])
    error_message = "secrets maps each variable to the ARN of a secret of Secrets Manager, perhaps followed by :key:stage:version, or of a parameter of SSM, without wildcards."
  }

  validation {
    condition = alltrue([
      for name in keys(var.secrets) :
      can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))
      && !contains(concat(local.own_variables, keys(var.kind_variables), keys(var.environment_variables)), name)
    ])
    error_message = "secrets holds names of letters, digits and underscores, and none that is set already."
  }
}

variable "secrets_kms_key_arns" {
  description = "Customer-managed keys that the secrets are encrypted with."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.secrets_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", arn))])
    error_message = "secrets_kms_key_arns holds ARNs of keys: no alias, which IAM does not take for one, and no wildcard."
  }
}

variable "policies" {
  description = "Policies of the task role: name to JSON."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for policy in values(var.policies) : can(jsondecode(policy).Statement)])
    error_message = "A policy of the task role is JSON with a Statement."
  }

  validation {
    condition = alltrue(flatten([
      for policy in values(var.policies) : [
        for statement in flatten([try(jsondecode(policy).Statement, [])]) : [
          # Without Action it allows all but some.
          for action in flatten([try(statement.Action, "*")]) : !strcontains(action, "*") && !strcontains(action, "?")
        ] if try(statement.Effect, "Allow") == "Allow"
      ]
    ]))
    error_message = "A policy of the task role names each action that it allows: no wildcard, and no NotAction."
  }

  validation {
    condition = alltrue(flatten([
      for policy in values(var.policies) : [
        # Without Resource it allows all but some.
        for statement in flatten([try(jsondecode(policy).Statement, [])]) : can(length(statement.Resource))
        if try(statement.Effect, "Allow") == "Allow"
      ]
    ]))
    error_message = "A policy of the task role names the resources that it allows: no NotResource."
  }
}

variable "vpc_id" {
  description = "VPC of the task's security group; needed on Fargate only."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that log lines are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    # CloudWatch takes 0 for ever; the other numbers that it has, the provider knows.
    condition     = var.log_retention_days > 0
    error_message = "log_retention_days is above 0, so that log lines do not stay for ever."
  }
}

variable "metrics_agent_image" {
  description = "Image of the CloudWatch agent that takes the service's statsd metrics; null for no agent, and then `environment_variables` may say where metrics go."
  type        = string
  # https://gallery.ecr.aws/cloudwatch-agent/cloudwatch-agent
  default = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300066.1b1374"

  validation {
    condition     = var.metrics_agent_image == null ? true : can(regex("^[^:@ ]+(?::[0-9]+/[^:@ ]+)?(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}@sha256:[0-9a-f]{64})$", var.metrics_agent_image)) && !strcontains(var.metrics_agent_image, ":latest")
    error_message = "metrics_agent_image is an image with the tag or digest of one version, so not latest."
  }
}
