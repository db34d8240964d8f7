locals {
  contract = module.names.contract
  daemon   = var.type == "daemon"
  fargate  = var.launch_type == "FARGATE"
  found    = module.look_up.values

  network = local.fargate ? {
    subnet_ids         = split(",", local.found.private_subnet_ids)
    security_group_ids = [module.task.security_group_id]
  } : null

  kind_variables = {
    daemon = {
      QUEUE_URL   = one(aws_sqs_queue.this[*].url)
      HEALTH_PORT = tostring(local.contract.ports.health)
    }
    cron = {}
  }

  own_policies = {
    daemon = { queue = local.queue_policy }
    cron   = {}
  }
}

module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  environment = var.environment
  owner       = var.owner
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  given = merge(
    {
      emergency_topic_arn = var.emergency_topic_arn
      warning_topic_arn   = var.warning_topic_arn
    },
    local.fargate ? {
      vpc_id             = var.vpc_id
      private_subnet_ids = try(join(",", var.private_subnet_ids), null)
    } : {},
  )
}

module "task" {
  source = "../ecs_task"

  identity          = module.names
  cpu               = var.cpu
  memory            = var.memory
  memory_hard_limit = var.memory_hard_limit
  launch_type       = var.launch_type
  capacity_provider = var.capacity_provider
  spot              = var.spot
  service_version   = var.service_version
  image_repository  = var.image_repository
  # A cron has no case of its own: like a daemon it has no callers to drain.
  timing                = local.contract.timing.cases.worker_daemon
  health_check          = local.daemon
  kind_variables        = local.kind_variables[var.type]
  environment_variables = var.environment_variables
  secrets               = var.secrets
  secrets_kms_key_arns  = var.secrets_kms_key_arns
  policies              = merge(local.own_policies[var.type], var.task_policy_json == null ? {} : { service = var.task_policy_json })
  vpc_id                = lookup(local.found, "vpc_id", null)
  log_retention_days    = var.log_retention_days
}
