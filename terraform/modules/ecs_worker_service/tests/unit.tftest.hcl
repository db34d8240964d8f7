mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["vpc_id"]
    values = { insecure_value = "vpc-1" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["private_subnet_ids"]
    values = { insecure_value = "subnet-1,subnet-2" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["internal_load_balancer_listener_arn"]
    values = { insecure_value = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/inside/0123456789abcdef/fedcba9876543210" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["external_load_balancer_listener_arn"]
    values = { insecure_value = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/outside/0123456789abcdef/fedcba9876543210" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["emergency_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:emergency" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["warning_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:warning" }
  }
}

variables {
  type            = "daemon"
  environment     = "prod"
  product         = "duolingo"
  service         = "mailer"
  owner           = "Learning Team"
  cpu             = 256
  memory          = 256
  ecs_cluster     = "prod"
  service_version = "abc1234"
  playbook_url    = "https://wiki.example.com/playbook"
}

run "daemon" {
  assert {
    condition = (
      aws_sqs_queue.this[0].name == "duolingo-mailer-prod"
      && aws_sqs_queue.this[0].sqs_managed_sse_enabled
      && aws_sqs_queue.this[0].visibility_timeout_seconds == 120
      && aws_sqs_queue.this[0].receive_wait_time_seconds == 20
      && aws_sqs_queue.this[0].message_retention_seconds == 345600
      && jsondecode(aws_sqs_queue.this[0].redrive_policy).maxReceiveCount == 5
    )
    error_message = "the queue is encrypted, polled for long and has a dead-letter queue"
  }
  assert {
    condition = (
      aws_sqs_queue.dead_letter[0].name == "duolingo-mailer-prod_dead_letter"
      && aws_sqs_queue.dead_letter[0].sqs_managed_sse_enabled
      && aws_sqs_queue.dead_letter[0].message_retention_seconds == 1209600
      && jsondecode(aws_sqs_queue.dead_letter[0].redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:us-east-1:123456789012:duolingo-mailer-prod"]
    )
    error_message = "the dead-letter queue takes from this queue only"
  }
  assert {
    condition = toset(flatten([for statement in jsondecode(local.queue_policy).Statement : statement.Action])) == toset([
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
      "sqs:GetQueueUrl", "sqs:SendMessage",
    ])
    error_message = "a consumer may consume"
  }
  assert {
    condition = local.kind_variables["daemon"] == {
      QUEUE_URL   = "https://sqs.us-east-1.amazonaws.com/123456789012/mock"
      HEALTH_PORT = "5001"
    }
    error_message = "a daemon learns its queue and its health port"
  }
  assert {
    condition     = aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].target_value == 100 && length(aws_appautoscaling_policy.wake) == 0
    error_message = "a daemon scales on the backlog of a task"
  }
  assert {
    condition     = toset(keys(output.alarm_names)) == toset(["cpu-high", "dead-letter-messages", "memory-high", "oldest-message-age"])
    error_message = "a daemon has every alarm of its kind"
  }
  assert {
    condition     = length(aws_scheduler_schedule.this) == 0 && output.service_name == "duolingo-mailer" && output.queue.url != null
    error_message = "a daemon is a service"
  }
  assert {
    condition     = aws_sqs_queue.this[0].tags == output.tags && aws_sqs_queue.dead_letter[0].tags == output.tags
    error_message = "everything is billed"
  }
}

run "daemon_that_sleeps" {
  variables {
    min_count        = 0
    launch_type      = "FARGATE"
    spot             = true
    task_policy_json = jsonencode({ Version = "2012-10-17", Statement = [] })
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.wake[0].alarm_actions == toset([aws_appautoscaling_policy.wake[0].arn])
    error_message = "a message wakes a daemon without tasks"
  }
}

run "cron" {
  variables {
    type     = "cron"
    schedule = "cron(0 3 * * ? *)"
  }

  assert {
    condition = (
      aws_scheduler_schedule.this[0].name == "duolingo-mailer-prod"
      && aws_scheduler_schedule.this[0].schedule_expression == "cron(0 3 * * ? *)"
      && aws_scheduler_schedule.this[0].target[0].arn == "arn:aws:ecs:us-east-1:123456789012:cluster/prod"
      && aws_scheduler_schedule.this[0].target[0].ecs_parameters[0].launch_type == "EC2"
    )
    error_message = "the schedule runs the task"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.this[0].pattern == "{ $.message = \"cron finished\" }"
    error_message = "a finished run is counted"
  }
  assert {
    condition     = local.cron_measures.silence.periods == 25 && local.cron_measures.silence.missing_data == "breaching" && keys(output.alarm_names) == ["silence"]
    error_message = "silence rings after 25 hours"
  }
  assert {
    condition = local.cron_measures.silence.metrics.finished == {
      namespace  = aws_cloudwatch_log_metric_filter.this[0].metric_transformation[0].namespace
      name       = aws_cloudwatch_log_metric_filter.this[0].metric_transformation[0].name
      statistic  = "Sum"
      dimensions = {}
    }
    error_message = "the alarm watches what the filter counts"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.scheduler[0].policy).Statement : statement.Action[0] => statement.Resource
      } == {
      "ecs:RunTask"     = ["arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-mailer-prod:*"]
      "ecs:TagResource" = ["arn:aws:ecs:us-east-1:123456789012:task/prod/*"]
      "iam:PassRole"    = ["arn:aws:iam::123456789012:role/mock", "arn:aws:iam::123456789012:role/mock"]
    }
    error_message = "the scheduler may run this task and nothing else"
  }
  assert {
    condition     = length(aws_sqs_queue.this) == 0 && output.queue == null && output.service_name == null && local.kind_variables["cron"] == {}
    error_message = "a cron has neither queue nor service"
  }
}

run "cron_on_fargate_spot" {
  variables {
    type        = "cron"
    schedule    = "rate(1 day)"
    launch_type = "FARGATE"
    spot        = true
  }

  assert {
    condition = (
      one(aws_scheduler_schedule.this[0].target[0].ecs_parameters[0].capacity_provider_strategy).capacity_provider == "FARGATE_SPOT"
      && aws_scheduler_schedule.this[0].target[0].ecs_parameters[0].network_configuration[0].subnets == toset(["subnet-1", "subnet-2"])
    )
    error_message = "on Fargate the schedule names the network"
  }
}

run "refuses_an_unknown_type" {
  command = plan
  variables {
    type = "batch"
  }
  expect_failures = [var.type]
}

run "refuses_a_cron_without_a_schedule" {
  command = plan
  variables {
    type = "cron"
  }
  expect_failures = [var.schedule]
}

run "refuses_a_daemon_with_a_schedule" {
  command = plan
  variables {
    schedule = "rate(1 day)"
  }
  expect_failures = [var.schedule]
}

run "refuses_a_schedule_of_five_fields" {
  command = plan
  variables {
    type     = "cron"
    schedule = "cron(0 3 * * *)"
  }
  expect_failures = [var.schedule]
}

run "refuses_more_silence_than_cloudwatch_remembers" {
  command = plan
  variables {
    type          = "cron"
    schedule      = "rate(1 day)"
    silence_hours = 169
  }
  expect_failures = [var.silence_hours]
}

run "refuses_a_visibility_of_a_day" {
  command = plan
  variables {
    visibility_timeout_seconds = 86400
  }
  expect_failures = [var.visibility_timeout_seconds]
}

run "refuses_no_receives" {
  command = plan
  variables {
    max_receives = 0
  }
  expect_failures = [var.max_receives]
}

run "refuses_no_backlog" {
  command = plan
  variables {
    backlog_per_task = 0
  }
  expect_failures = [var.backlog_per_task]
}

run "refuses_no_age" {
  command = plan
  variables {
    message_age_threshold_seconds = 0
  }
  expect_failures = [var.message_age_threshold_seconds]
}
