# Template-owned.
locals {
  data_store_variables = {

    DATABASE_URL         = module.duolingo-report-postgres.url
    DATABASE_CREDENTIALS = module.duolingo-report-postgres.credentials
  }

  # What permissions.tf says, and what the data stores need.
  whole_task_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = flatten([
      for policy in [
        local.task_policy_json,
        module.duolingo-report-postgres.task_policy_json,
      ] : jsondecode(policy).Statement if policy != null
    ])
  })
}

module "duolingo-report-postgres" {
  source = "git::https://github.com/example/platform.git//terraform/modules/aurora_cluster?ref=0123456789abcdef0123456789abcdef01234567"

  environment           = var.environment
  product               = "duolingo"
  service               = "report"
  subservice            = "db"
  owner                 = "Learning"
  contact               = "learning@example.com"
  playbook_url          = "https://github.com/duolingo/duolingo-report/blob/main/docs/playbook.md"
  engine                = "aurora-postgresql"
  name                  = "duolingo_report"
  instance_class        = "db.t4g.medium"
  num_cluster_instances = 2
}
