# People, their telephones and their own rules belong to themselves: here they are only found.
data "pagerduty_user" "this" {
  for_each = toset(concat(flatten(var.rotation[*].people), flatten(var.escalation)))

  email = each.value
}

resource "pagerduty_schedule" "this" {
  name        = local.name
  description = "On call for ${module.names.names.ecs_service} in ${var.environment}"
  time_zone   = var.time_zone

  dynamic "layer" {
    for_each = var.rotation

    content {
      name                         = layer.value.name
      users                        = [for person in layer.value.people : data.pagerduty_user.this[person].id]
      rotation_turn_length_seconds = layer.value.shift_hours * 3600
      # Written down and never computed from the clock: PagerDuty answers with the time of the last change, and the provider
      # sees no difference between two times that are past.
      start                  = layer.value.start
      rotation_virtual_start = layer.value.start

      dynamic "restriction" {
        for_each = layer.value.restriction[*]

        content {
          type              = restriction.value.start_day == null ? "daily_restriction" : "weekly_restriction"
          start_time_of_day = restriction.value.start_time
          start_day_of_week = restriction.value.start_day
          duration_seconds  = floor(restriction.value.hours * 3600)
        }
      }
    }
  }
}

resource "pagerduty_escalation_policy" "this" {
  name        = local.name
  description = "Pages of ${module.names.names.ecs_service} in ${var.environment}"
  num_loops   = 2

  rule {
    escalation_delay_in_minutes = var.escalation_minutes

    target {
      type = "schedule_reference"
      id   = pagerduty_schedule.this.id
    }
  }

  dynamic "rule" {
    for_each = var.escalation

    content {
      escalation_delay_in_minutes = var.escalation_minutes

      dynamic "target" {
        for_each = rule.value

        content {
          type = "user_reference"
          id   = data.pagerduty_user.this[target.value].id
        }
      }
    }
  }
}
