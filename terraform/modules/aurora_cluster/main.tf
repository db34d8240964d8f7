locals {
  engine = {
    aurora-postgresql = { port = 5432, logs = ["postgresql"] }
    aurora-mysql      = { port = 3306, logs = ["error", "slowquery"] }
  }[var.engine]
  port = local.engine.port

  production         = var.environment == "prod"
  cluster_identifier = var.cluster_identifier != null ? var.cluster_identifier : module.names.names.database_cluster
  identifier         = var.identifier != null ? var.identifier : local.cluster_identifier
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

resource "aws_db_subnet_group" "this" {
  name        = local.cluster_identifier
  description = "Private subnets"
  subnet_ids  = module.network.private_subnet_ids

  tags = module.names.tags
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = local.cluster_identifier
  engine             = var.engine
  engine_version     = var.engine_version
  database_name      = var.name
  port               = local.port

  master_username                     = var.master_username
  manage_master_user_password         = true
  iam_database_authentication_enabled = true

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [module.network.security_group_id]

  storage_encrypted               = true
  backup_retention_period         = var.backup_retention_days
  copy_tags_to_snapshot           = true
  deletion_protection             = local.production
  skip_final_snapshot             = !local.production
  final_snapshot_identifier       = local.production ? "${local.cluster_identifier}-final" : null
  enabled_cloudwatch_logs_exports = local.engine.logs

  tags = module.names.tags
}

resource "aws_rds_cluster_instance" "this" {
  count = var.num_cluster_instances

  identifier           = "${local.identifier}-${count.index + 1}"
  cluster_identifier   = aws_rds_cluster.this.id
  engine               = aws_rds_cluster.this.engine
  engine_version       = aws_rds_cluster.this.engine_version
  instance_class       = var.instance_class
  db_subnet_group_name = aws_db_subnet_group.this.name

  publicly_accessible        = false
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true

  tags = module.names.tags
}
