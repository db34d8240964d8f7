mock_provider "aws" {
  source = "../../testing"
}

run "names" {
  command = plan

  variables {
    product     = "duolingo"
    service     = "api"
    environment = "prod"
    owner       = "Learning Team"
  }

  module {
    source = "../names"
  }
}

variables {
  kind         = "worker-cron"
  playbook_url = "https://wiki.example.com/playbook"
  topic_arns = {
    emergency = "arn:aws:sns:us-east-1:123456789012:emergency"
    warning   = "arn:aws:sns:us-east-1:123456789012:warning"
  }
  without = ["run-failed", "attempt-failed"]
  measures = {
    silence = {
      metrics   = { finished = { namespace = "n", name = "m", statistic = "Sum", dimensions = {} } }
      threshold = 1
      period    = 3600
      periods   = 25
    }
  }
}

run "an_alarm_leads_to_its_playbook_and_its_dashboard" {
  command = plan

  variables {
    identity = run.names
    contact  = "team@example.com"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["silence"].alarm_name == "duolingo-api-prod-silence"
    error_message = "the name holds the service and the alarm"
  }
  assert {
    condition = (
      strcontains(aws_cloudwatch_metric_alarm.this["silence"].alarm_description, "https://wiki.example.com/playbook#silence")
      && strcontains(aws_cloudwatch_metric_alarm.this["silence"].alarm_description, "Learning Team")
      && strcontains(aws_cloudwatch_metric_alarm.this["silence"].alarm_description, "team@example.com")
      && strcontains(aws_cloudwatch_metric_alarm.this["silence"].alarm_description, "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/duolingo-api-prod")
    )
    error_message = "the description holds playbook, owner, contact and dashboard"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["silence"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:emergency"])
      && aws_cloudwatch_metric_alarm.this["silence"].ok_actions == toset(["arn:aws:sns:us-east-1:123456789012:emergency"])
    )
    error_message = "the severity chooses the topic"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["silence"].tags == run.names.tags
    error_message = "an alarm is billed too"
  }
}

run "a_data_store_has_alarms_of_its_own" {
  command = plan

  variables {
    identity = run.names
    kind     = "memcached"
    without  = ["memcached-cpu-high", "memcached-evictions", "memcached-swap"]
    measures = {
      memcached-down = {
        metrics   = { nodes = { namespace = "n", name = "m", statistic = "Sum", dimensions = {} } }
        threshold = 1
        periods   = 5
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["memcached-down"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:warning"])
    error_message = "a data store's alarm has its severity from the contract"
  }
}

run "one_outage_is_one_page" {
  command = apply

  variables {
    identity = run.names
    kind     = "worker-daemon"
    without  = ["dead-letter-messages", "memory-high", "cpu-high", "aws-throttles", "restarts", "availability-burn-slow"]
    measures = {
      no-running-task = {
        metrics      = { running = { namespace = "n", name = "running", statistic = "SampleCount", dimensions = {} } }
        threshold    = 1
        periods      = 5
        missing_data = "breaching"
      }
      oldest-message-age = {
        metrics   = { age = { namespace = "n", name = "age", statistic = "Maximum", dimensions = {} } }
        threshold = 900
        periods   = 5
      }
    }
    parts = {
      availability-burn-1h = {
        of = "availability-burn-fast"
        measure = {
          metrics   = { bad = { namespace = "n", name = "bad", statistic = "Sum", dimensions = {} } }
          threshold = 1.44
          period    = 3600
          periods   = 1
        }
      }
      availability-burn-5m = {
        of = "availability-burn-fast"
        measure = {
          metrics    = { bad = { namespace = "n", name = "bad", statistic = "Sum", dimensions = {} } }
          expression = "bad * 2"
          threshold  = 1.44
          period     = 300
          periods    = 1
        }
      }
    }
    composites = {
      service-down           = { any_of = [["no-running-task"], ["oldest-message-age"]] }
      availability-burn-fast = { any_of = [["availability-burn-1h", "availability-burn-5m"], ["oldest-message-age"]], suppressor = "service-down" }
    }
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.this["service-down"].alarm_rule == "ALARM(\"duolingo-api-prod-no-running-task\") OR ALARM(\"duolingo-api-prod-oldest-message-age\")"
    error_message = "the service is down while any of its alarms rings"
  }
  assert {
    condition     = aws_cloudwatch_composite_alarm.suppressed["availability-burn-fast"].alarm_rule == "(ALARM(\"duolingo-api-prod-availability-burn-1h\") AND ALARM(\"duolingo-api-prod-availability-burn-5m\")) OR ALARM(\"duolingo-api-prod-oldest-message-age\")"
    error_message = "both windows must burn"
  }
  assert {
    condition     = aws_cloudwatch_composite_alarm.suppressed["availability-burn-fast"].actions_suppressor[0].alarm == "duolingo-api-prod-service-down"
    error_message = "an outage holds back the page of the burn rate"
  }
  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.this) : length(alarm.alarm_actions) == 0 && length(alarm.ok_actions) == 0
    ])
    error_message = "what is part of a composite has no page of its own"
  }
  assert {
    condition = (
      aws_cloudwatch_composite_alarm.this["service-down"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:emergency"])
      && aws_cloudwatch_composite_alarm.suppressed["availability-burn-fast"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:emergency"])
    )
    error_message = "the composites page"
  }
  assert {
    condition = (
      strcontains(aws_cloudwatch_metric_alarm.this["no-running-task"].alarm_description, "It acts through service-down.")
      && strcontains(aws_cloudwatch_metric_alarm.this["availability-burn-1h"].alarm_description, "playbook#availability-burn-fast")
    )
    error_message = "a quiet alarm says who speaks for it, and a part has the entry of the whole"
  }
  assert {
    condition     = tolist(output.rollback_names) == tolist(["duolingo-api-prod-oldest-message-age"])
    error_message = "an alarm that rings while the first task starts rolls nothing back"
  }
  assert {
    condition     = toset(keys(output.names)) == toset(["availability-burn-fast", "no-running-task", "oldest-message-age", "service-down"]) && keys(output.arns) == keys(output.names)
    error_message = "parts are no alarms of the contract"
  }
}

run "a_metric_alarm_may_suppress_too" {
  command = apply

  variables {
    identity = run.names
    composites = {
      run-failed = { any_of = [["run-burn"]], suppressor = "silence" }
    }
    parts = {
      run-burn = {
        of      = "run-failed"
        measure = { metrics = { bad = { namespace = "n", name = "bad", statistic = "Sum", dimensions = {} } }, threshold = 1, periods = 1 }
      }
    }
    without = ["attempt-failed"]
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.suppressed["run-failed"].actions_suppressor[0].alarm == "duolingo-api-prod-silence"
    error_message = "the suppressor is the metric alarm"
  }
}

run "refuses_an_unknown_kind" {
  command = plan
  variables {
    identity = run.names
    kind     = "batch"
  }
  expect_failures = [var.kind]
}

run "refuses_a_playbook_without_https" {
  command = plan
  variables {
    identity     = run.names
    playbook_url = "http://wiki.example.com/playbook"
  }
  expect_failures = [var.playbook_url]
}

run "refuses_a_contact_that_is_no_address" {
  command = plan
  variables {
    identity = run.names
    contact  = "the team"
  }
  expect_failures = [var.contact]
}

run "refuses_two_metrics_without_an_expression" {
  command = plan
  variables {
    identity = run.names
    measures = {
      silence = {
        metrics = {
          a = { namespace = "n", name = "a", statistic = "Sum", dimensions = {} }
          b = { namespace = "n", name = "b", statistic = "Sum", dimensions = {} }
        }
        threshold = 1
        periods   = 25
      }
    }
  }
  expect_failures = [var.measures]
}

run "refuses_to_look_back_further_than_a_day_by_minutes" {
  command = plan
  variables {
    identity = run.names
    measures = {
      silence = { metrics = { a = { namespace = "n", name = "a", statistic = "Sum", dimensions = {} } }, threshold = 1, periods = 1441 }
    }
  }
  expect_failures = [var.measures]
}

run "refuses_an_id_that_metric_math_does_not_take" {
  command = plan
  variables {
    identity = run.names
    measures = {
      silence = { metrics = { "a-b" = { namespace = "n", name = "a", statistic = "Sum", dimensions = {} } }, threshold = 1, periods = 1 }
    }
  }
  expect_failures = [var.measures]
}

run "refuses_a_measure_of_no_alarm" {
  command = plan
  variables {
    identity = run.names
    measures = {
      silence = {
        metrics   = { finished = { namespace = "n", name = "m", statistic = "Sum", dimensions = {} } }
        threshold = 1
        periods   = 25
      }
      noise = {
        metrics   = { finished = { namespace = "n", name = "m", statistic = "Sum", dimensions = {} } }
        threshold = 1
        periods   = 25
      }
    }
  }
  expect_failures = [aws_cloudwatch_metric_alarm.this]
}

run "refuses_an_alarm_without_a_measure" {
  command = plan
  variables {
    identity = run.names
    without  = ["run-failed"]
  }
  expect_failures = [aws_cloudwatch_metric_alarm.this]
}

run "refuses_a_part_of_nothing" {
  command = plan
  variables {
    identity = run.names
    parts = {
      burn = { of = "silence", measure = { metrics = { a = { namespace = "n", name = "a", statistic = "Sum", dimensions = {} } }, threshold = 1, periods = 1 } }
    }
  }
  expect_failures = [var.composites]
}

run "refuses_a_composite_of_an_unknown_alarm" {
  command = plan
  variables {
    identity   = run.names
    composites = { run-failed = { any_of = [["noise"]] } }
  }
  expect_failures = [var.composites]
}

run "refuses_a_suppressor_that_is_suppressed" {
  command = plan
  variables {
    identity   = run.names
    composites = { run-failed = { any_of = [["silence"]], suppressor = "run-failed" } }
  }
  expect_failures = [var.composites]
}
