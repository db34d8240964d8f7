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
  kind               = "web"
  ecs_cluster        = "prod"
  log_group_name     = "/ecs/prod/duolingo-api"
  clock_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:platform-clock-prod"
  alarm_arns         = { service-down = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:duolingo-api-prod-service-down" }
  links = {
    repository = "https://github.com/duolingo/duolingo-api"
    playbook   = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
    sentry     = "https://sentry.io/organizations/duolingo/projects/duolingo-api/"
  }
  load_balancer = {
    dimensions                = { LoadBalancer = "app/inside/0123456789abcdef", TargetGroup = "targetgroup/api/0123456789abcdef" }
    latency_threshold_seconds = 1
  }
  objectives = [{
    name        = "availability"
    objective   = 99.9
    bad_percent = "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)"
    metrics = {
      errors   = { namespace = "n", name = "errors", statistic = "Sum", dimensions = { D = "d" } }
      requests = { namespace = "n", name = "requests", statistic = "Sum", dimensions = { D = "d" } }
    }
  }]
}

run "a_web_service" {
  command = plan

  variables {
    identity = run.names
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "duolingo-api-prod"
    error_message = "the dashboard is named after the service"
  }
  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : try(widget.properties.title, widget.type)] == [
      "Local time and UTC",
      "text",
      "Alarms",
      "Error budget left: availability (99.9 % of 30 days)",
      "Burn rate of the error budget: availability",
      "Healthy, unhealthy and running tasks",
      "Latency: average and percentiles",
      "Number of requests",
      "CPU: minimum, average, maximum",
      "Memory: minimum, average, maximum",
      "Deployments: tasks started, by release",
      "Service errors by availability zone",
      "Load balancer errors by availability zone",
      "Requests by route and status",
      "Milliseconds by route and status (p99)",
      "Threads and requests at work",
      "Calls of AWS by operation and outcome",
      "Calls of AWS: trouble",
      "Calls of other services by outcome",
      "Restarts by cause",
      "Memory that the service measures",
      "Log lines by level",
    ]
    error_message = "every panel of a web service is there"
  }
  assert {
    condition     = output.url == "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/duolingo-api-prod"
    error_message = "the address is the console's"
  }
  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "samples / (PERIOD(samples) / 60)")
    error_message = "without Container Insights running tasks are counted by samples"
  }
}

run "container_insights_count_the_tasks" {
  command = plan

  variables {
    identity           = run.names
    container_insights = true
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "RunningTaskCount") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "SampleCount")
    error_message = "Container Insights know the number of tasks"
  }
}

run "a_daemon" {
  command = plan

  variables {
    identity      = run.names
    kind          = "worker-daemon"
    load_balancer = null
    objectives    = []
    queues        = { main = { queue_name = "duolingo-api-prod", dead_letter_queue_name = "duolingo-api-prod_dead_letter" } }
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title if widget.type == "metric"] == [
      "Running tasks",
      "Visible messages",
      "Deleted messages",
      "CPU: minimum, average, maximum",
      "Memory: minimum, average, maximum",
      "Age of the oldest message",
      "Messages handled, by outcome",
      "Milliseconds that messages wait and take",
      "Deployments: tasks started, by release",
      "Calls of AWS by operation and outcome",
      "Calls of AWS: trouble",
      "Calls of other services by outcome",
      "Restarts by cause",
      "Memory that the service measures",
      "Log lines by level",
    ]
    error_message = "every panel of a daemon is there"
  }
}

run "a_daemon_without_a_queue" {
  command = plan

  variables {
    identity      = run.names
    kind          = "worker-daemon"
    load_balancer = null
    links         = { repository = "https://github.com/duolingo/duolingo-api", playbook = "https://wiki.example.com/playbook" }
  }

  assert {
    condition = (
      !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "AWS/SQS")
      && strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "Turns by loop and outcome")
      && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "Sentry")
    )
    error_message = "there are no panels of what there is not"
  }
}

run "a_cron" {
  command = plan

  variables {
    identity      = run.names
    kind          = "worker-cron"
    load_balancer = null
    objectives    = []
    cron = {
      state_machine_arn = "arn:aws:states:us-east-1:123456789012:stateMachine:duolingo-report-prod"
      finished          = { namespace = "duolingo-report-prod", name = "cron_finished" }
      silence_hours     = 25
    }
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title if widget.type == "metric"] == [
      "Runs",
      "Duration of runs",
      "Silence: hours since a run finished",
      "Jobs by outcome",
      "Deployments: tasks started, by release",
      "Calls of AWS by operation and outcome",
      "Calls of AWS: trouble",
      "Calls of other services by outcome",
      "Restarts by cause",
      "Memory that the service measures",
      "Log lines by level",
    ]
    error_message = "every panel of a cron is there"
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

run "refuses_a_function_by_name" {
  command = plan
  variables {
    identity           = run.names
    clock_function_arn = "platform-clock-prod"
  }
  expect_failures = [var.clock_function_arn]
}

run "refuses_a_dashboard_without_alarms" {
  command = plan
  variables {
    identity   = run.names
    alarm_arns = {}
  }
  expect_failures = [var.alarm_arns]
}

run "refuses_a_web_service_without_a_load_balancer" {
  command = plan
  variables {
    identity      = run.names
    load_balancer = null
  }
  expect_failures = [var.load_balancer]
}

run "refuses_a_cron_without_a_state_machine" {
  command = plan
  variables {
    identity      = run.names
    kind          = "worker-cron"
    load_balancer = null
  }
  expect_failures = [var.cron]
}
