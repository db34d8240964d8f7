locals {
  redis = var.engine == "redis"
  port  = local.redis ? 6379 : 11211
  # The first memcached with encryption in transit is 1.6.12.
  engine_version = var.engine_version != null ? var.engine_version : local.redis ? "7.1" : "1.6.22"
  family         = local.redis ? (startswith(local.engine_version, "6.") ? "redis6.x" : "redis7") : "memcached1.6"

  production = var.environment == "prod"
  name       = module.names.names.cache_cluster
}

module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  subservice  = var.subservice
  environment = var.environment
  owner       = var.owner
}

module "network" {
  source = "../data_store_network"

  identity                   = module.names
  vpc_id                     = var.vpc_id
  private_subnet_ids         = var.private_subnet_ids
  port                       = local.port
  allowed_security_group_ids = var.allowed_security_group_ids
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.name
  description = "Private subnets"
  subnet_ids  = module.network.private_subnet_ids

  tags = module.names.tags
}

resource "aws_elasticache_parameter_group" "this" {
  # A group is of one family: that of another major version needs another name while both exist.
  name        = "${local.name}-${replace(local.family, ".", "-")}"
  description = "Parameters of ${local.name}"
  family      = local.family

  dynamic "parameter" {
    for_each = merge({ for policy in var.maxmemory_policy[*] : "maxmemory-policy" => policy if local.redis }, var.parameters)

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  tags = module.names.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(local.redis ? ["engine", "slow"] : [])

  name              = "${module.names.names.cache_log_group}/${each.key}"
  retention_in_days = var.log_retention_days

  tags = module.names.tags
}

resource "aws_elasticache_replication_group" "this" {
  count = local.redis ? 1 : 0

  replication_group_id = local.name
  description          = "Cache of ${module.names.names.ecs_service}"
  engine               = "redis"
  engine_version       = local.engine_version
  node_type            = var.node_type
  num_cache_clusters   = var.num_nodes
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = local.port

  automatic_failover_enabled = var.num_nodes > 1
  multi_az_enabled           = var.num_nodes > 1
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  user_group_ids             = var.user_group_id[*]
  auto_minor_version_upgrade = true
  maintenance_window         = var.maintenance_window
  apply_immediately          = local.apply_immediately
  snapshot_retention_limit   = var.snapshot_retention_days != null ? var.snapshot_retention_days : local.production ? 7 : 0
  snapshot_window            = var.snapshot_window
  final_snapshot_identifier  = local.production ? "${local.name}-final" : null

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [module.network.security_group_id]

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      destination_type = "cloudwatch-logs"
      destination      = log_delivery_configuration.value.name
      log_format       = "json"
      log_type         = "${log_delivery_configuration.key}-log"
    }
  }

  tags = module.names.tags
}

resource "aws_elasticache_cluster" "this" {
  count = local.redis ? 0 : 1

  cluster_id           = local.name
  engine               = "memcached"
  engine_version       = local.engine_version
  node_type            = var.node_type
  num_cache_nodes      = var.num_nodes
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = local.port
  az_mode              = var.num_nodes > 1 ? "cross-az" : "single-az"

  # memcached keeps nothing on disk, so there is nothing to encrypt at rest.
  transit_encryption_enabled = true
  maintenance_window         = var.maintenance_window
  apply_immediately          = local.apply_immediately

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [module.network.security_group_id]

  tags = module.names.tags
}

locals {
  apply_immediately = var.apply_immediately != null ? var.apply_immediately : !local.production
}
