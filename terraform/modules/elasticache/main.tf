locals {
  redis = var.engine == "redis"
  port  = local.redis ? 6379 : 11211
  # The first memcached with encryption in transit is 1.6.12.
  engine_version = var.engine_version != null ? var.engine_version : local.redis ? "7.1" : "1.6.22"
  name           = module.names.names.cache_cluster
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

resource "aws_elasticache_replication_group" "this" {
  count = local.redis ? 1 : 0

  replication_group_id = local.name
  description          = "Cache of ${module.names.names.ecs_service}"
  engine               = "redis"
  engine_version       = local.engine_version
  node_type            = var.node_type
  num_cache_clusters   = var.num_nodes
  port                 = local.port

  automatic_failover_enabled = var.num_nodes > 1
  multi_az_enabled           = var.num_nodes > 1
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auto_minor_version_upgrade = true
  snapshot_retention_limit   = 7

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [module.network.security_group_id]

  tags = module.names.tags
}

resource "aws_elasticache_cluster" "this" {
  count = local.redis ? 0 : 1

  cluster_id      = local.name
  engine          = "memcached"
  engine_version  = local.engine_version
  node_type       = var.node_type
  num_cache_nodes = var.num_nodes
  port            = local.port
  az_mode         = var.num_nodes > 1 ? "cross-az" : "single-az"

  # memcached keeps nothing on disk, so there is nothing to encrypt at rest.
  transit_encryption_enabled = true

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [module.network.security_group_id]

  tags = module.names.tags
}
