locals {
  playbook_url = (
    var.playbook_url != null
    ? var.playbook_url
    : "${module.look_up.values.repositories_url}/${var.identity.names.ecs_service}/blob/main/docs/playbook.md"
  )
}

module "look_up" {
  source = "../look_up"

  identity = var.identity
  given = merge(
    {
      emergency_topic_arn = var.emergency_topic_arn
      warning_topic_arn   = var.warning_topic_arn
    },
    { for key in ["repositories_url"] : key => null if var.playbook_url == null },
  )
}

module "alarms" {
  source = "../alarms"

  # Named after the data store: the service has alarms of its own.
  identity = {
    names    = merge(var.identity.names, { alarm_prefix = var.identity.names.data_store_alarm_prefix })
    tags     = var.identity.tags
    contract = var.identity.contract
  }
  kind         = var.kind
  contact      = var.contact
  playbook_url = local.playbook_url
  topic_arns = {
    emergency = module.look_up.values.emergency_topic_arn
    warning   = module.look_up.values.warning_topic_arn
  }
  measures = var.measures
  without  = var.without
}
