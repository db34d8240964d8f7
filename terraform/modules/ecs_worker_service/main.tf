data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  contract = module.names.contract
  daemon   = var.type == "daemon"
  fargate  = var.launch_type == "FARGATE"
  found    = module.look_up.values

  playbook_url = var.playbook_url != null ? var.playbook_url : (
    "${local.found.repositories_url}/${module.names.names.ecr_repository}/blob/main/docs/playbook.md"
  )

  network = local.fargate ? {
    subnet_ids         = split(",", local.found.private_subnet_ids)
    security_group_ids = [module.task.security_group_id]
  } : null

  kind_variables = merge(
    local.queue_variables,
    local.daemon ? { HEALTH_PORT = tostring(local.contract.ports.health) } : {},
    local.coordination_table ? { COORDINATION_TABLE = aws_dynamodb_table.coordination[0].name } : {},
    var.payload_bucket ? { PAYLOAD_BUCKET = aws_s3_bucket.payloads[0].bucket } : {},
  )

  own_policies = merge(
    length(local.consumed) == 0 ? {} : { queue = local.queue_policy },
    local.coordination_table ? { coordination = local.coordination_policy } : {},
    var.payload_bucket ? { payloads = local.payload_policy } : {},
  )
}

module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  environment = var.environment
  owner       = var.owner
  account_id  = data.aws_caller_identity.this.account_id
  # `name` became deprecated in version 6 of the provider; `id` is the same in both.
  region = data.aws_region.this.id
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  given = merge(
    {
      emergency_topic_arn = var.emergency_topic_arn
      warning_topic_arn   = var.warning_topic_arn
    },
    local.monitoring_look_up,
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
  ecs_cluster       = var.ecs_cluster
  capacity_provider = var.capacity_provider
  spot              = var.spot
  service_version   = var.service_version
  image_repository  = var.image_repository
  # A cron has no case of its own: like a daemon it has no callers to drain.
  timing                = local.contract.timing.cases.worker_daemon
  health_check          = local.daemon
  kind_variables        = local.kind_variables
  environment_variables = var.environment_variables
  secrets               = var.secrets
  secrets_kms_key_arns  = var.secrets_kms_key_arns
  policies              = merge(local.own_policies, var.task_policy_json == null ? {} : { service = var.task_policy_json })
  vpc_id                = lookup(local.found, "vpc_id", null)
  log_retention_days    = var.log_retention_days
}
