mock_provider "aws" {
  source = "../../testing"
}

variables {
  place = {
    partition  = "aws"
    region     = "us-east-1"
    account_id = "123456789012"
  }
  schedule_group = "duolingo-report-prod"
  metric = {
    namespace = "duolingo-report-prod"
    name      = "cron_finished"
  }
  hours = 745
}

run "identity" {
  module {
    source = "../names"
  }
  variables {
    product     = "duolingo"
    service     = "report"
    environment = "prod"
    owner       = "Learning Team"
  }
}

run "check" {
  variables {
    identity = run.identity
  }

  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States["Look for a finished run"].Arguments == {
      Namespace  = "duolingo-report-prod"
      MetricName = "cron_finished"
      Statistics = ["Sum"]
      Period     = 86400
      StartTime  = "{% $fromMillis($millis() - 2682000000) %}"
      EndTime    = "{% $now() %}"
    }
    error_message = "the check looks as far back as the deadline"
  }
  assert {
    condition     = aws_sfn_state_machine.this.name == "duolingo-report-prod_deadline" && aws_scheduler_schedule.this.schedule_expression == "rate(1 hour)"
    error_message = "the check is made every hour"
  }
  assert {
    condition     = output.measure.missing_data == "breaching" && output.measure.metrics.in_time.name == "ExecutionsSucceeded"
    error_message = "a check that is not made rings too"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Action[0] => statement.Resource
      } == {
      "cloudwatch:GetMetricStatistics" = ["*"]
      "states:StartExecution"          = ["arn:aws:states:us-east-1:123456789012:stateMachine:duolingo-report-prod_deadline"]
    }
    error_message = "the check reads metrics and nothing else"
  }
}

run "refuses_more_than_cloudwatch_keeps" {
  command = plan
  variables {
    identity = run.identity
    hours    = 9601
  }
  expect_failures = [var.hours]
}
