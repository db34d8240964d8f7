locals {
  engine = {
    aurora-postgresql = { port = 5432, scheme = "postgresql", version = "16", logs = ["postgresql"] }
    aurora-mysql      = { port = 3306, scheme = "mysql", version = "8.0", logs = ["error", "slowquery"] }
  }[var.engine]
  port           = local.engine.port
  engine_version = var.engine_version != null ? var.engine_version : local.engine.version

  production         = var.environment == "prod"
  cluster_identifier = var.cluster_identifier != null ? var.cluster_identifier : module.names.names.database_cluster
  identifier         = var.identifier != null ? var.identifier : local.cluster_identifier

  serverless       = var.instance_class == "db.serverless"
  managed_password = var.password_version == null
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

# RDS makes these by itself where they are missing, and keeps the lines for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(local.engine.logs)

  name              = "/aws/rds/cluster/${local.cluster_identifier}/${each.key}"
  retention_in_days = var.log_retention_days

  tags = module.names.tags
}

resource "aws_rds_cluster" "this" {
  cluster_identifier          = local.cluster_identifier
  engine                      = var.engine
  engine_version              = local.engine_version
  allow_major_version_upgrade = var.allow_major_version_upgrade
  database_name               = var.name
  port                        = local.port

  db_cluster_parameter_group_name  = aws_rds_cluster_parameter_group.this.name
  db_instance_parameter_group_name = var.allow_major_version_upgrade ? aws_db_parameter_group.this.name : null

  master_username                     = var.master_username
  manage_master_user_password         = local.managed_password ? true : null
  master_user_secret_kms_key_id       = local.managed_password ? var.kms_key_arn : null
  master_password_wo                  = var.password
  master_password_wo_version          = var.password_version
  iam_database_authentication_enabled = true

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [module.network.security_group_id]

  storage_encrypted            = true
  kms_key_id                   = var.kms_key_arn
  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = var.backup_window
  preferred_maintenance_window = var.maintenance_window
  apply_immediately            = local.apply_immediately
  copy_tags_to_snapshot        = true

  deletion_protection       = local.deletion_protection
  delete_automated_backups  = !local.production
  skip_final_snapshot       = !local.production
  final_snapshot_identifier = local.production ? "${local.cluster_identifier}-final" : null

  enabled_cloudwatch_logs_exports = local.engine.logs

  dynamic "serverlessv2_scaling_configuration" {
    for_each = var.serverless_capacity[*]

    content {
      min_capacity = serverlessv2_scaling_configuration.value.min
      max_capacity = serverlessv2_scaling_configuration.value.max
    }
  }

  tags = module.names.tags

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_rds_cluster_instance" "this" {
  count = var.num_cluster_instances

  identifier              = "${local.identifier}-${count.index + 1}"
  cluster_identifier      = aws_rds_cluster.this.id
  engine                  = aws_rds_cluster.this.engine
  engine_version          = aws_rds_cluster.this.engine_version
  instance_class          = var.instance_class
  db_subnet_group_name    = aws_db_subnet_group.this.name
  db_parameter_group_name = aws_db_parameter_group.this.name

  publicly_accessible          = false
  ca_cert_identifier           = "rds-ca-rsa2048-g1"
  auto_minor_version_upgrade   = true
  preferred_maintenance_window = var.maintenance_window
  apply_immediately            = local.apply_immediately
  copy_tags_to_snapshot        = true

  performance_insights_enabled          = local.performance_insights
  performance_insights_kms_key_id       = local.performance_insights ? var.kms_key_arn : null
  performance_insights_retention_period = local.performance_insights ? 7 : null
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn

  tags = module.names.tags

  # RDS refuses a role that may not write.
  depends_on = [aws_iam_role_policy.monitoring]
}

locals {
  deletion_protection = var.deletion_protection != null ? var.deletion_protection : local.production
  apply_immediately   = var.apply_immediately != null ? var.apply_immediately : !local.production

  # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_PerfInsights.Overview.Engines.html
  performance_insights = !(var.engine == "aurora-mysql" && can(regex("^db\\.(?:t[23]\\.|t4g\\.small)", var.instance_class)))
}

check "generation" {
  assert {
    condition     = !can(regex("^db\\.(?:r[34]|t2)\\.", var.instance_class))
    error_message = "${var.instance_class} is of an old generation, which AWS offers with old versions of the engine only: give one as engine_version, or take a class such as db.r6g.large."
  }
}
