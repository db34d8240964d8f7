mock_provider "aws" {
  source = "../../testing"
}

mock_provider "pagerduty" {
  mock_data "pagerduty_vendor" {
    defaults = { id = "PZQ6AUS" }
  }

  mock_resource "pagerduty_service_integration" {
    defaults = { integration_key = "0123456789abcdef0123456789abcdef" }
  }

  mock_resource "pagerduty_service" {
    defaults = { id = "PSERVICE" }
  }

  mock_resource "pagerduty_schedule" {
    defaults = { id = "PSCHEDULE" }
  }
}

variables {
  environment         = "prod"
  product             = "duolingo"
  service             = "api"
  owner               = "Learning Team"
  emergency_topic_arn = "arn:aws:sns:us-east-1:123456789012:emergency"
  rotation = [{
    name   = "weekly"
    people = ["ada@example.com", "grace@example.com"]
    start  = "2026-01-05T09:00:00-05:00"
  }]
  escalation = [["katherine@example.com"]]
}

run "pages_by_the_week_and_goes_on_to_the_next_level" {
  assert {
    condition = (
      pagerduty_schedule.this.layer[0].rotation_turn_length_seconds == 604800
      && pagerduty_schedule.this.layer[0].users == tolist([for person in ["ada@example.com", "grace@example.com"] : data.pagerduty_user.this[person].id])
      && pagerduty_schedule.this.layer[0].start == "2026-01-05T09:00:00-05:00"
      && pagerduty_schedule.this.layer[0].rotation_virtual_start == "2026-01-05T09:00:00-05:00"
      && length(pagerduty_schedule.this.layer[0].restriction) == 0
      && pagerduty_schedule.this.time_zone == "Etc/UTC"
    )
    error_message = "each person is on call for a week, in the order given, from a moment that is written down"
  }
  assert {
    condition = (
      pagerduty_escalation_policy.this.rule[0].target[0].type == "schedule_reference"
      && pagerduty_escalation_policy.this.rule[0].target[0].id == "PSCHEDULE"
      && pagerduty_escalation_policy.this.rule[1].target[0].id == data.pagerduty_user.this["katherine@example.com"].id
      && pagerduty_escalation_policy.this.rule[*].escalation_delay_in_minutes == tolist([10, 10])
      && length(pagerduty_escalation_policy.this.rule) == 2
    )
    error_message = "who is on call comes first, the given level next"
  }
  assert {
    condition = (
      pagerduty_service.this.name == "duolingo-api-prod"
      && pagerduty_service.this.incident_urgency_rule[0].urgency == "high"
      && pagerduty_service.this.incident_urgency_rule[0].type == "constant"
      && pagerduty_service.this.auto_resolve_timeout == "null"
      && length(pagerduty_service.this.support_hours) == 0
    )
    error_message = "a page is always urgent, and only the alarm resolves it"
  }
  assert {
    condition     = length(pagerduty_slack_connection.this) == 0
    error_message = "there is no Slack unless it is asked for"
  }
}

run "is_joined_to_the_topic_by_the_names_of_its_own_alarms" {
  variables {
    further_alarm_names = ["duolingo-api-prod-checkout"]
  }

  assert {
    condition = (
      aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:us-east-1:123456789012:emergency"
      && aws_sns_topic_subscription.this.protocol == "https"
      && aws_sns_topic_subscription.this.endpoint_auto_confirms
      && aws_sns_topic_subscription.this.filter_policy_scope == "MessageBody"
      && nonsensitive(aws_sns_topic_subscription.this.endpoint) == "https://events.pagerduty.com/integration/0123456789abcdef0123456789abcdef/enqueue"
      && issensitive(aws_sns_topic_subscription.this.endpoint)
    )
    error_message = "SNS tells PagerDuty, at an address that is shown to nobody"
  }
  assert {
    condition     = tolist(jsondecode(aws_sns_topic_subscription.this.filter_policy).AlarmName) == output.alarm_names
    error_message = "only the alarms of the output come through"
  }
  assert {
    condition = (
      contains(output.alarm_names, "duolingo-api-prod-errors-5xx")
      && contains(output.alarm_names, "duolingo-api-prod-dead-letter-messages")
      && contains(output.alarm_names, "duolingo-api-prod-silence")
      && contains(output.alarm_names, "duolingo-api-prod-checkout")
      && !contains(output.alarm_names, "duolingo-api-prod-memory-high")
    )
    error_message = "every emergency of the contract pages, and a warning does not"
  }
  assert {
    condition     = pagerduty_service_integration.cloudwatch.vendor == "PZQ6AUS" && pagerduty_service_integration.cloudwatch.service == "PSERVICE"
    error_message = "the integration is CloudWatch's"
  }
}

run "pages_for_data_stores_too" {
  command = plan

  variables {
    subservices = ["db"]
  }

  assert {
    condition     = length([for name in output.alarm_names : name if startswith(name, "duolingo-api-db-prod/data-store-")]) > 0
    error_message = "the emergencies of the data store page"
  }
}

run "looks_up_the_topic" {
  command = plan

  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["emergency_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:found" }
  }

  variables {
    emergency_topic_arn = null
  }

  assert {
    condition     = aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:us-east-1:123456789012:found"
    error_message = "the topic is the environment's"
  }
}

run "nights_belong_to_others" {
  command = plan

  variables {
    time_zone = "America/New_York"
    rotation = [
      { name = "all day", people = ["ada@example.com"], start = "2026-01-05T09:00:00-05:00" },
      {
        name        = "nights"
        people      = ["grace@example.com"]
        start       = "2026-01-05T21:00:00-05:00"
        shift_hours = 24
        restriction = { start_time = "21:00:00", hours = 12 }
      },
      {
        name        = "week-ends"
        people      = ["katherine@example.com"]
        start       = "2026-01-09T18:00:00-05:00"
        restriction = { start_time = "18:00:00", hours = 62.5, start_day = 5 }
      },
    ]
  }

  assert {
    condition = (
      pagerduty_schedule.this.time_zone == "America/New_York"
      && pagerduty_schedule.this.layer[1].restriction[0].type == "daily_restriction"
      && pagerduty_schedule.this.layer[1].restriction[0].duration_seconds == 43200
      && pagerduty_schedule.this.layer[1].restriction[0].start_day_of_week == null
      && pagerduty_schedule.this.layer[1].rotation_turn_length_seconds == 86400
      && pagerduty_schedule.this.layer[2].restriction[0].type == "weekly_restriction"
      && pagerduty_schedule.this.layer[2].restriction[0].start_day_of_week == 5
      && pagerduty_schedule.this.layer[2].restriction[0].duration_seconds == 225000
    )
    error_message = "a layer may cover a part of each day or week"
  }
}

run "wakes_nobody_outside_support_hours" {
  command = plan

  variables {
    support_hours = { days = [1, 2, 3, 4, 5], start = "09:00:00", end = "17:00:00" }
  }

  assert {
    condition = (
      pagerduty_service.this.incident_urgency_rule[0].type == "use_support_hours"
      && pagerduty_service.this.incident_urgency_rule[0].urgency == null
      && pagerduty_service.this.incident_urgency_rule[0].during_support_hours[0].urgency == "high"
      && pagerduty_service.this.incident_urgency_rule[0].outside_support_hours[0].urgency == "low"
      && pagerduty_service.this.support_hours[0].days_of_week == tolist([1, 2, 3, 4, 5])
      && pagerduty_service.this.scheduled_actions[0].to_urgency == "high"
    )
    error_message = "pages wait for the support hours, and become urgent then"
  }
}

run "slack_hears_of_every_page" {
  command = plan

  variables {
    slack = { workspace_id = "T02A123LV1A", channel_id = "C02CABCDAC9" }
  }

  assert {
    condition = (
      pagerduty_slack_connection.this["this"].workspace_id == "T02A123LV1A"
      && pagerduty_slack_connection.this["this"].channel_id == "C02CABCDAC9"
      && contains(pagerduty_slack_connection.this["this"].config[0].events, "incident.triggered")
      && pagerduty_slack_connection.this["this"].config[0].priorities == tolist(["*"])
    )
    error_message = "the channel hears of the service's pages"
  }
}

run "refuses_that_nobody_is_paged" {
  command = plan
  variables {
    rotation   = [{ name = "weekly", people = [], start = "2026-01-05T09:00:00-05:00" }]
    escalation = []
  }
  expect_failures = [var.rotation, var.escalation]
}

run "refuses_people_without_an_address" {
  command = plan
  variables {
    rotation   = [{ name = "weekly", people = ["ada"], start = "2026-01-05T09:00:00-05:00" }]
    escalation = [["the manager"]]
  }
  expect_failures = [var.rotation, var.escalation]
}

run "refuses_no_time_to_answer" {
  command = plan
  variables {
    rotation           = [{ name = "weekly", people = ["ada@example.com"], start = "2026-01-05T09:00:00Z", shift_hours = 0.5 }]
    escalation_minutes = 0
    support_hours      = { days = [], start = "09:00:00", end = "17:00:00" }
  }
  expect_failures = [var.rotation, var.escalation_minutes, var.support_hours]
}

run "refuses_what_pagerduty_slack_and_sns_do_not_know" {
  command = plan
  variables {
    time_zone           = "UTC"
    slack               = { workspace_id = "T02A123LV1A", channel_id = "#incidents" }
    emergency_topic_arn = "arn:aws:sqs:us-east-1:123456789012:emergency"
  }
  expect_failures = [var.time_zone, var.slack, var.emergency_topic_arn]
}

run "refuses_two_layers_of_one_name" {
  command = plan
  variables {
    rotation = [
      { name = "weekly", people = ["ada@example.com"], start = "2026-01-05T09:00:00-05:00" },
      { name = "weekly", people = ["grace@example.com"], start = "2026-01-05T09:00:00-05:00" },
    ]
  }
  expect_failures = [var.rotation]
}

run "refuses_a_start_without_a_time_zone" {
  command = plan
  variables {
    rotation = [{ name = "weekly", people = ["ada@example.com"], start = "2026-01-05T09:00:00" }]
  }
  expect_failures = [var.rotation]
}

run "refuses_a_start_with_seconds" {
  command = plan
  variables {
    rotation = [{ name = "weekly", people = ["ada@example.com"], start = "2026-01-05T09:00:05Z" }]
  }
  expect_failures = [var.rotation]
}

run "refuses_a_daily_restriction_of_a_whole_day" {
  command = plan
  variables {
    rotation = [{
      name        = "weekly"
      people      = ["ada@example.com"]
      start       = "2026-01-05T09:00:00Z"
      restriction = { start_time = "09:00:00", hours = 24 }
    }]
  }
  expect_failures = [var.rotation]
}

run "refuses_an_eighth_day" {
  command = plan
  variables {
    rotation = [{
      name        = "weekly"
      people      = ["ada@example.com"]
      start       = "2026-01-05T09:00:00Z"
      restriction = { start_time = "09:00:00", hours = 24, start_day = 8 }
    }]
  }
  expect_failures = [var.rotation]
}

run "refuses_more_alarms_than_a_filter_holds" {
  command = plan
  variables {
    further_alarm_names = [for number in range(150) : "duolingo-api-prod-${number}"]
  }
  expect_failures = [aws_sns_topic_subscription.this]
}
