# Template-owned.
locals {
  data_store_variables = {
  }

  data_store_secrets = {
    DATABASE_URL = aws_secretsmanager_secret.database_url.arn
  }
}

module "duolingo-report-postgres" {
  source = "git::https://github.com/example/platform.git//terraform/modules/aurora_cluster?ref=0123456789abcdef0123456789abcdef01234567"

  environment                = var.environment
  product                    = "duolingo"
  service                    = "report"
  subservice                 = "db"
  owner                      = "Learning"
  engine                     = "aurora-postgresql"
  name                       = "duolingo_report"
  instance_class             = "db.t4g.medium"
  num_cluster_instances      = 2
  allowed_security_group_ids = var.cluster_security_group_ids
}

# Holds the address with user and password; an operator puts it in once, so that no password is in a plan or a state.
resource "aws_secretsmanager_secret" "database_url" {
  name = "${var.environment}/duolingo-report/DATABASE_URL"
  tags = module.duolingo-report-postgres.tags
}
