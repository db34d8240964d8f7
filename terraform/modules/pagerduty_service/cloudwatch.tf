data "pagerduty_vendor" "cloudwatch" {
  name = "Amazon CloudWatch"
}

resource "pagerduty_service_integration" "cloudwatch" {
  name    = data.pagerduty_vendor.cloudwatch.name
  service = pagerduty_service.this.id
  vendor  = data.pagerduty_vendor.cloudwatch.id
}

module "data_store_names" {
  source   = "../names"
  for_each = var.subservices

  product     = var.product
  service     = var.service
  subservice  = each.value
  environment = var.environment
  owner       = var.owner
}

locals {
  emergencies = {
    for alarm in jsondecode(file("${path.module}/../../../baselib/contract/alarms.json")) :
    alarm.name => length(setintersection(alarm.kinds, module.names.contract.kinds)) > 0 if alarm.severity == "emergency"
  }

  # Whole names: a prefix would also fit another service whose name goes on with this environment's.
  alarm_names = sort(setunion(
    [for name, of_service in local.emergencies : "${module.names.names.alarm_prefix}-${name}" if of_service],
    flatten([
      for store in module.data_store_names :
      [for name, of_service in local.emergencies : "${store.names.data_store_alarm_prefix}-${name}" if !of_service]
    ]),
    var.further_alarm_names,
  ))

  # https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
  most_alarm_names = 150
}

# One topic serves the whole environment: the filter lets this service's alarms through, and nobody else's.
resource "aws_sns_topic_subscription" "this" {
  topic_arn = module.look_up.values.emergency_topic_arn
  protocol  = "https"
  # Who knows the key can raise and resolve pages of this service.
  endpoint               = sensitive("https://events.pagerduty.com/integration/${pagerduty_service_integration.cloudwatch.integration_key}/enqueue")
  endpoint_auto_confirms = true
  filter_policy_scope    = "MessageBody"
  filter_policy          = jsonencode({ AlarmName = local.alarm_names })

  lifecycle {
    precondition {
      condition     = length(local.alarm_names) <= local.most_alarm_names
      error_message = "One subscription can tell ${local.most_alarm_names} alarms apart, and these are ${length(local.alarm_names)}: name fewer subservices or further_alarm_names."
    }
  }
}
