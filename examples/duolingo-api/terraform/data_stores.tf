# Template-owned.
locals {
  data_store_variables = {

    DATABASE_URL         = module.duolingo-api-postgres.url
    DATABASE_CREDENTIALS = module.duolingo-api-postgres.credentials

    REDIS_URL = module.duolingo-api-redis.url
  }

  # What permissions.tf says, and what the data stores need.
  whole_task_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = flatten([
      for policy in [
        local.task_policy_json,
        module.duolingo-api-postgres.task_policy_json,
      ] : jsondecode(policy).Statement if policy != null
    ])
  })
}

module "duolingo-api-postgres" {
  source = "git::https://github.com/example/platform.git//terraform/modules/aurora_cluster?ref=0123456789abcdef0123456789abcdef01234567"

  environment           = var.environment
  product               = "duolingo"
  service               = "api"
  subservice            = "db"
  owner                 = "Learning"
  contact               = "learning@example.com"
  playbook_url          = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
  engine                = "aurora-postgresql"
  name                  = "duolingo_api"
  instance_class        = "db.t4g.medium"
  num_cluster_instances = 2
}

module "duolingo-api-redis" {
  source = "git::https://github.com/example/platform.git//terraform/modules/elasticache?ref=0123456789abcdef0123456789abcdef01234567"

  environment  = var.environment
  product      = "duolingo"
  service      = "api"
  subservice   = "redis"
  owner        = "Learning"
  contact      = "learning@example.com"
  playbook_url = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
  engine       = "redis"
}
