data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  catalogue = {
    for alarm in jsondecode(file("${path.module}/../../../baselib/contract/alarms.json")) :
    alarm.name => alarm if contains(alarm.kinds, var.kind) && !contains(var.without, alarm.name)
  }

  # Plain objects: what a part is part of is no measure, and two types do not meet in one map.
  measured = merge(
    { for name, measure in var.measures : name => { entry = name, measure = measure } },
    { for name, part in var.parts : name => { entry = part.of, measure = part.measure } },
  )

  # CloudWatch can hold back the actions of composite alarms only. So an alarm that is part of one leaves its actions to it.
  quiet = setunion(keys(var.parts), flatten([for composite in values(var.composites) : composite.any_of]))

  names = { for name in concat(keys(local.measured), keys(var.composites)) : name => "${var.identity.names.alarm_prefix}-${name}" }

  region = data.aws_region.this.id
  console = replace(
    lookup(var.identity.contract.consoles, data.aws_partition.this.partition, var.identity.contract.consoles.aws),
    "{region}", local.region,
  )
  dashboard_url = "${local.console}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${var.identity.names.dashboard}"

  descriptions = {
    for name, alarm in local.catalogue : name => join(" ", compact([
      alarm.summary,
      contains(local.quiet, name) ? "It acts through ${join(" and ", [for composite, rule in var.composites : composite if contains(flatten(rule.any_of), name)])}." : "",
      "Owner: ${var.identity.tags.owner}.",
      var.contact == null ? "" : "Contact: ${var.contact}.",
      "Playbook: ${var.playbook_url}#${name}",
      "Dashboard: ${local.dashboard_url}",
    ]))
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.measured

  alarm_name          = local.names[each.key]
  alarm_description   = lookup(local.descriptions, each.value.entry, null)
  comparison_operator = each.value.measure.comparison
  threshold           = each.value.measure.threshold
  evaluation_periods  = each.value.measure.periods
  datapoints_to_alarm = coalesce(each.value.measure.datapoints, each.value.measure.periods)
  treat_missing_data  = each.value.measure.missing_data

  dynamic "metric_query" {
    for_each = each.value.measure.metrics

    content {
      id          = metric_query.key
      return_data = each.value.measure.expression == null

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        stat        = metric_query.value.statistic
        dimensions  = metric_query.value.dimensions
        period      = each.value.measure.period
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.measure.expression[*]

    content {
      id          = "result"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }

  alarm_actions = contains(local.quiet, each.key) ? [] : [var.topic_arns[local.catalogue[each.key].severity]]
  ok_actions    = contains(local.quiet, each.key) ? [] : [var.topic_arns[local.catalogue[each.key].severity]]

  tags = var.identity.tags

  lifecycle {
    precondition {
      condition     = toset(concat(keys(var.measures), keys(var.composites))) == toset(keys(local.catalogue))
      error_message = "The alarms of kind ${var.kind} are ${join(", ", keys(local.catalogue))}, but measures and composites are given for ${join(", ", sort(concat(keys(var.measures), keys(var.composites))))}."
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "this" {
  for_each = { for name, composite in var.composites : name => composite if composite.suppressor == null }

  alarm_name        = local.names[each.key]
  alarm_description = lookup(local.descriptions, each.key, null)
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [var.topic_arns[local.catalogue[each.key].severity]]
  ok_actions        = [var.topic_arns[local.catalogue[each.key].severity]]

  tags = var.identity.tags
}

# A resource of its own, because it names alarms of the one above.
resource "aws_cloudwatch_composite_alarm" "suppressed" {
  for_each = { for name, composite in var.composites : name => composite if composite.suppressor != null }

  alarm_name        = local.names[each.key]
  alarm_description = lookup(local.descriptions, each.key, null)
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [var.topic_arns[local.catalogue[each.key].severity]]
  ok_actions        = [var.topic_arns[local.catalogue[each.key].severity]]

  actions_suppressor {
    alarm = coalesce(
      try(aws_cloudwatch_composite_alarm.this[each.value.suppressor].alarm_name, null),
      try(aws_cloudwatch_metric_alarm.this[each.value.suppressor].alarm_name, null),
    )
    # Long enough for the other alarm to notice the same trouble, and for this one's short window to forget it.
    wait_period      = 180
    extension_period = 1800
  }

  tags = var.identity.tags
}

locals {
  rules = {
    for name, composite in var.composites : name => join(" OR ", [
      for together in composite.any_of : length(together) == 1 ? local.alarms[together[0]] : "(${join(" AND ", [for alarm in together : local.alarms[alarm]])})"
    ])
  }
  alarms = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => "ALARM(\"${alarm.alarm_name}\")" }
}
