mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["clock_function_arn"]
    values = { insecure_value = "arn:aws:lambda:us-east-1:123456789012:function:platform-clock-prod" }
  }
}

variables {
  environment = "prod"
  product     = "duolingo"
  owner       = "Learning Team"
  ecs_cluster = "prod"
  services    = { api = "web", mailer = "worker-daemon", report = "worker-cron" }
}

run "one_line_for_each_service" {
  command = plan

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title if widget.type != "text"] == [
      "Local time and UTC",
      "Emergencies",
      "Requests by service",
      "Milliseconds of requests by service (p99)",
      "Server errors by service",
      "Visible messages by service",
      "Deleted messages by service",
      "Age of the oldest message by service",
      "CPU by service",
      "Memory by service",
      "Restarts by service",
      "Finished runs by job",
      "Price of calls of AWS by service, in millionths of a US dollar",
    ]
    error_message = "every panel is there"
  }
  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "duolingo_prod"
    error_message = "no service can have a dashboard of this name"
  }
}

run "only_web_services" {
  command = plan

  variables {
    services = { api = "web" }
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "messages") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "runs")
    error_message = "there are no panels of what there is not"
  }
}

run "refuses_an_empty_fleet" {
  command = plan
  variables {
    services = {}
  }
  expect_failures = [var.services]
}

run "refuses_an_unknown_kind" {
  command = plan
  variables {
    services = { api = "batch" }
  }
  expect_failures = [var.services]
}
