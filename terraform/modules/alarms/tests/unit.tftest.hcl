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
  measures = {
    silence = {
      metrics   = { finished = { namespace = "n", name = "m", statistic = "Sum", dimensions = {} } }
      threshold = 1
      periods   = 25
    }
  }
}

run "an_alarm_leads_to_its_playbook" {
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
    )
    error_message = "the description holds playbook, owner and contact"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["silence"].alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:emergency"])
    error_message = "the severity chooses the topic"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["silence"].tags == run.names.tags
    error_message = "an alarm is billed too"
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
