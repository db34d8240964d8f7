locals {
  catalogue = {
    for alarm in jsondecode(file("${path.module}/../../../baselib/contract/alarms.json")) :
    alarm.name => alarm if contains(alarm.kinds, var.kind)
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.catalogue

  alarm_name = "${var.identity.names.alarm_prefix}-${each.key}"
  alarm_description = join(" ", compact([
    each.value.summary,
    "Owner: ${var.identity.tags.owner}.",
    var.contact == null ? "" : "Contact: ${var.contact}.",
    "Playbook: ${var.playbook_url}#${each.key}",
  ]))

  comparison_operator = var.measures[each.key].comparison
  threshold           = var.measures[each.key].threshold
  evaluation_periods  = var.measures[each.key].periods
  datapoints_to_alarm = coalesce(var.measures[each.key].datapoints, var.measures[each.key].periods)
  treat_missing_data  = var.measures[each.key].missing_data

  dynamic "metric_query" {
    for_each = var.measures[each.key].metrics

    content {
      id          = metric_query.key
      return_data = var.measures[each.key].expression == null

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        stat        = metric_query.value.statistic
        dimensions  = metric_query.value.dimensions
        period      = var.measures[each.key].period
      }
    }
  }

  dynamic "metric_query" {
    for_each = var.measures[each.key].expression[*]

    content {
      id          = "result"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }

  alarm_actions = [var.topic_arns[each.value.severity]]
  ok_actions    = [var.topic_arns[each.value.severity]]

  tags = var.identity.tags

  lifecycle {
    precondition {
      condition     = setunion(keys(var.measures), keys(local.catalogue)) == setintersection(keys(var.measures), keys(local.catalogue))
      error_message = "The alarms of kind ${var.kind} are ${join(", ", keys(local.catalogue))}, but measures are given for ${join(", ", keys(var.measures))}."
    }
  }
}
