# Template-owned.
locals {
  data_store_variables = {

    REDIS_URL = "rediss://${module.duolingo-api-redis.endpoint}:${module.duolingo-api-redis.port}"
  }

  data_store_secrets = {
    DATABASE_URL = aws_secretsmanager_secret.database_url.arn
  }
}

module "duolingo-api-postgres" {
  source = "git::https://github.com/example/platform.git//terraform/modules/aurora_cluster?ref=0123456789abcdef0123456789abcdef01234567"

  environment                = var.environment
  product                    = "duolingo"
  service                    = "api"
  subservice                 = "db"
  owner                      = "Learning"
  engine                     = "aurora-postgresql"
  name                       = "duolingo_api"
  instance_class             = "db.t4g.medium"
  num_cluster_instances      = 2
  allowed_security_group_ids = var.cluster_security_group_ids
}

# Holds the address with user and password; an operator puts it in once, so that no password is in a plan or a state.
resource "aws_secretsmanager_secret" "database_url" {
  name = "${var.environment}/duolingo-api/DATABASE_URL"
  tags = module.duolingo-api-postgres.tags
}

module "duolingo-api-redis" {
  source = "git::https://github.com/example/platform.git//terraform/modules/elasticache?ref=0123456789abcdef0123456789abcdef01234567"

  environment                = var.environment
  product                    = "duolingo"
  service                    = "api"
  subservice                 = "redis"
  owner                      = "Learning"
  engine                     = "redis"
  allowed_security_group_ids = var.cluster_security_group_ids
}
