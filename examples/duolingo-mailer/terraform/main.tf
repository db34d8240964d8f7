# Template-owned: sizes are in sizes.tf, permissions in permissions.tf, and what else this service needs goes into files of
# its own.
module "duolingo-mailer" {
  source = "git::https://github.com/example/platform.git//terraform/modules/ecs_worker_service?ref=0123456789abcdef0123456789abcdef01234567"

  type            = "daemon"
  environment     = var.environment
  product         = "duolingo"
  service         = "mailer"
  owner           = "Learning"
  contact         = "learning@example.com"
  playbook_url    = "https://github.com/duolingo/duolingo-mailer/blob/main/docs/playbook.md"
  min_count       = local.size.min_count
  max_count       = local.size.max_count
  cpu             = local.size.cpu
  memory          = local.size.memory
  ecs_cluster     = local.size.ecs_cluster
  service_version = var.service_version

  task_policy_json      = local.task_policy_json
  environment_variables = merge(local.environment_variables)
  secrets               = local.secrets
}

locals {
  size = local.sizes[var.environment]
}
