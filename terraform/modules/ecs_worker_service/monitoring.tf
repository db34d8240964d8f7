module "alarms" {
  source = "../alarms"

  identity     = module.names
  kind         = "worker-${var.type}"
  playbook_url = var.playbook_url
  contact      = var.contact
  topic_arns = {
    emergency = local.found.emergency_topic_arn
    warning   = local.found.warning_topic_arn
  }
  measures = merge(local.daemon_measures, local.cron_measures)
}
