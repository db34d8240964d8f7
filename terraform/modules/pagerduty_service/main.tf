module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  environment = var.environment
  owner       = var.owner
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  given    = { emergency_topic_arn = var.emergency_topic_arn }
}

locals {
  name    = module.names.names.paging
  contact = module.names.contract.answers.contact
}

resource "pagerduty_service" "this" {
  name              = local.name
  description       = "${module.names.names.ecs_service} in ${var.environment}. Owner: ${var.owner}. Each page links to its playbook."
  escalation_policy = pagerduty_escalation_policy.this.id
  alert_creation    = "create_alerts_and_incidents"

  # The alarm's return to OK resolves a page; time alone must not.
  auto_resolve_timeout = "null"
  # Half an hour after an answer, a page that is still open rings again.
  acknowledgement_timeout = "1800"

  incident_urgency_rule {
    type    = var.support_hours == null ? "constant" : "use_support_hours"
    urgency = var.support_hours == null ? "high" : null

    dynamic "during_support_hours" {
      for_each = var.support_hours[*]

      content {
        type    = "constant"
        urgency = "high"
      }
    }

    dynamic "outside_support_hours" {
      for_each = var.support_hours[*]

      content {
        type    = "constant"
        urgency = "low"
      }
    }
  }

  dynamic "support_hours" {
    for_each = var.support_hours[*]

    content {
      type         = "fixed_time_per_day"
      time_zone    = var.time_zone
      days_of_week = sort(support_hours.value.days)
      start_time   = support_hours.value.start
      end_time     = support_hours.value.end
    }
  }

  dynamic "scheduled_actions" {
    for_each = var.support_hours[*]

    content {
      type       = "urgency_change"
      to_urgency = "high"

      at {
        type = "named_time"
        name = "support_hours_start"
      }
    }
  }
}

resource "pagerduty_slack_connection" "this" {
  for_each = var.slack == null ? {} : { this = var.slack }

  source_id         = pagerduty_service.this.id
  source_type       = "service_reference"
  workspace_id      = each.value.workspace_id
  channel_id        = each.value.channel_id
  notification_type = "responder"

  config {
    events = [
      "incident.acknowledged",
      "incident.escalated",
      "incident.reassigned",
      "incident.resolved",
      "incident.triggered",
      "incident.unacknowledged",
    ]
    # Any priority, also none.
    priorities = ["*"]
  }
}
