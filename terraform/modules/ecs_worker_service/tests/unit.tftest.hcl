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
    target = module.look_up.data.aws_ssm_parameter.this["emergency_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:emergency" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["warning_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:warning" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["clock_function_arn"]
    values = { insecure_value = "arn:aws:lambda:us-east-1:123456789012:function:platform-clock-prod" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["repositories_url"]
    values = { insecure_value = "https://github.com/duolingo" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["sentry_url"]
    values = { insecure_value = "none" }
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
}

run "daemon" {
  assert {
    condition = local.consumed == {
      main = { queue_name = "duolingo-mailer-prod", dead_letter_queue_name = "duolingo-mailer-prod_dead_letter" }
    }
    error_message = "a daemon consumes a queue of its own"
  }
  assert {
    condition = toset(flatten([for statement in jsondecode(local.queue_policy).Statement : statement.Action])) == toset([
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
      "sqs:GetQueueUrl", "sqs:SendMessage",
    ])
    error_message = "a consumer may consume"
  }
  assert {
    condition = local.kind_variables == {
      QUEUE_URL   = "https://sqs.us-east-1.amazonaws.com/123456789012/mock"
      HEALTH_PORT = "5001"
    }
    error_message = "a daemon learns its queue and its health port, and of nothing else"
  }
  assert {
    condition     = keys(local.own_policies) == ["queue"] && length(aws_dynamodb_table.coordination) == 0 && length(aws_s3_bucket.payloads) == 0
    error_message = "a table and a bucket have to be asked for"
  }
  assert {
    condition     = aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].target_value == 100 && length(aws_appautoscaling_policy.wake) == 0
    error_message = "a daemon scales on the backlog of a task"
  }
  assert {
    condition     = local.backlog == "visible_main + FILL(in_flight_main, 0)"
    error_message = "the backlog is what waits and what is in flight"
  }
  assert {
    condition     = local.playbook_url == "https://github.com/duolingo/duolingo-mailer/blob/main/docs/playbook.md"
    error_message = "the playbook is in the service's repository"
  }
  assert {
    condition     = length(module.run) == 0 && output.service_name == "duolingo-mailer" && output.queue.url != null && output.state_machine_arn == null
    error_message = "a daemon is a service"
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
  assert {
    condition     = aws_cloudwatch_metric_alarm.wake[0].evaluation_periods == 3 && aws_cloudwatch_metric_alarm.wake[0].datapoints_to_alarm == 2
    error_message = "samples that are late wake nobody"
  }
}

run "daemon_with_everything" {
  variables {
    queue              = "fifo"
    queues             = { big-imports = { visibility_timeout_seconds = 600 }, mails = { fifo = true, max_receives = 50 } }
    coordination_table = true
    payload_bucket     = true
  }

  assert {
    condition = { for name, queue in local.consumed : name => queue.queue_name } == {
      main        = "duolingo-mailer-prod.fifo"
      big-imports = "duolingo-mailer-prod_big-imports"
      mails       = "duolingo-mailer-prod_mails.fifo"
    }
    error_message = "further queues are named after the service"
  }
  assert {
    condition     = keys(local.kind_variables) == ["COORDINATION_TABLE", "HEALTH_PORT", "PAYLOAD_BUCKET", "QUEUE_BIG_IMPORTS_URL", "QUEUE_MAILS_URL", "QUEUE_URL"]
    error_message = "the daemon learns of each"
  }
  assert {
    condition     = local.kind_variables.PAYLOAD_BUCKET == "duolingo-mailer-prod-payloads-123456789012-us-east-1"
    error_message = "a bucket's name is the only one in the world"
  }
  assert {
    condition     = keys(output.further_queues) == ["big-imports", "mails"] && local.made.mails.max_receives == 50 && local.made.big-imports.visibility_timeout_seconds == 600
    error_message = "each queue may have its own numbers"
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(output.send_policy_json).Statement : statement.Action])) == toset(["sqs:GetQueueAttributes", "sqs:SendMessage", "s3:DeleteObject", "s3:PutObject"])
    error_message = "a sender may send, and nothing else"
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.payloads[0].restrict_public_buckets
      && aws_s3_bucket_lifecycle_configuration.payloads[0].rule[0].expiration[0].days == 57
    )
    error_message = "payloads are private, and outlive every queue"
  }
  assert {
    condition     = aws_dynamodb_table.coordination[0].hash_key == "key" && one(aws_dynamodb_table.coordination[0].ttl).attribute_name == "expires"
    error_message = "the table has the form that baselib expects"
  }
}

run "daemon_of_somebody_elses_queue" {
  variables {
    min_count             = 0
    queue_arn             = "arn:aws:sqs:us-east-1:123456789012:orders"
    dead_letter_queue_arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead"
  }

  assert {
    condition     = length(module.queue) == 0 && local.kind_variables.QUEUE_URL == "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
    error_message = "no queue is made"
  }
  assert {
    condition = [for statement in jsondecode(local.queue_policy).Statement : statement.Resource] == [
      ["arn:aws:sqs:us-east-1:123456789012:orders"], ["arn:aws:sqs:us-east-1:123456789012:orders-dead"],
    ]
    error_message = "the daemon may consume it"
  }
  assert {
    condition     = local.consumed == { main = { queue_name = "orders", dead_letter_queue_name = "orders-dead" } } && local.waiting == "FILL(visible_main, 0)"
    error_message = "scaling and alarms watch it"
  }
}

run "loop" {
  variables {
    queue = "none"
  }

  assert {
    condition     = length(local.consumed) == 0 && keys(local.kind_variables) == ["HEALTH_PORT"] && local.own_policies == {}
    error_message = "a loop has no queue"
  }
  assert {
    condition     = length(aws_appautoscaling_policy.backlog) == 0 && output.queue == null && output.send_policy_json == null
    error_message = "a loop scales on nothing"
  }
}

run "cron" {
  variables {
    type     = "cron"
    schedule = "cron(0 3 * * ? *)"
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.this[0].pattern == "{ $.message = \"cron finished\" }"
    error_message = "a finished run is counted"
  }
  assert {
    condition = (
      local.cron_measures.silence.periods == 25
      && local.cron_measures.silence.missing_data == "breaching"
      && length(module.deadline_check) == 0
      && keys(local.cron_measures) == ["attempt-failed", "run-failed", "silence"]
    )
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
    condition     = keys(local.kind_variables) == ["COORDINATION_TABLE"] && keys(local.own_policies) == ["coordination"]
    error_message = "a cron has a table for its lock"
  }
  assert {
    condition     = length(module.queue) == 0 && output.queue == null && output.service_name == null && output.state_machine_arn != null
    error_message = "a cron has neither queue nor service"
  }
}

run "cron_on_fargate_spot_every_five_minutes" {
  variables {
    type               = "cron"
    schedule           = "rate(5 minutes)"
    launch_type        = "FARGATE"
    spot               = true
    coordination_table = false
    run_attempts       = 1
  }

  assert {
    condition     = local.cron_measures.silence.periods == 2 && local.own_policies == {}
    error_message = "a frequent job is missed soon"
  }
}

run "cron_that_runs_weekly" {
  variables {
    type     = "cron"
    schedule = "cron(0 3 ? * MON *)"
  }

  assert {
    condition     = length(module.deadline_check) == 1 && local.cron_measures.silence.metrics.in_time.name == "ExecutionsSucceeded" && local.silence_hours == 169
    error_message = "what an alarm cannot remember is asked for every hour"
  }
}

run "refuses_an_unknown_type" {
  command = plan
  variables {
    type = "batch"
  }
  expect_failures = [var.type]
}

run "refuses_an_unknown_queue" {
  command = plan
  variables {
    queue = "priority"
  }
  expect_failures = [var.queue]
}

run "refuses_a_loop_that_never_starts" {
  command = plan
  variables {
    queue     = "none"
    min_count = 0
  }
  expect_failures = [var.queue]
}

run "refuses_the_url_of_a_queue" {
  command = plan
  variables {
    queue_arn             = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
    dead_letter_queue_arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead"
  }
  expect_failures = [var.queue_arn]
}

run "refuses_a_queue_of_another_account" {
  command = plan
  variables {
    queue_arn             = "arn:aws:sqs:us-east-1:210987654321:orders"
    dead_letter_queue_arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead"
  }
  expect_failures = [var.queue_arn]
}

run "refuses_a_fifo_queue_that_is_called_standard" {
  command = plan
  variables {
    queue_arn             = "arn:aws:sqs:us-east-1:123456789012:orders.fifo"
    dead_letter_queue_arn = "arn:aws:sqs:us-east-1:123456789012:orders-dead.fifo"
  }
  expect_failures = [var.queue_arn]
}

run "refuses_an_existing_queue_without_dead_letters" {
  command = plan
  variables {
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:orders"
  }
  expect_failures = [var.dead_letter_queue_arn]
}

run "refuses_the_name_of_a_dead_letter_queue" {
  command = plan
  variables {
    queue_arn             = "arn:aws:sqs:us-east-1:123456789012:orders"
    dead_letter_queue_arn = "orders-dead"
  }
  expect_failures = [var.dead_letter_queue_arn]
}

run "refuses_more_queues_than_scaling_can_see" {
  command = plan
  variables {
    queues = { a = {}, b = {}, c = {}, d = {} }
  }
  expect_failures = [var.queues]
}

run "refuses_a_cron_with_queues" {
  command = plan
  variables {
    type     = "cron"
    schedule = "rate(1 day)"
    queues   = { imports = {} }
  }
  expect_failures = [var.queues]
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

run "refuses_a_schedule_that_ends" {
  command = plan
  variables {
    type     = "cron"
    schedule = "cron(0 3 * * ? 2030)"
  }
  expect_failures = [aws_cloudwatch_log_metric_filter.this[0]]
}

run "refuses_a_leap_day" {
  command = plan
  variables {
    type          = "cron"
    schedule      = "cron(0 3 29 2 ? *)"
    silence_hours = null
  }
  expect_failures = [aws_cloudwatch_log_metric_filter.this[0]]
}

run "refuses_more_silence_than_cloudwatch_keeps" {
  command = plan
  variables {
    type          = "cron"
    schedule      = "rate(1 day)"
    silence_hours = 9601
  }
  expect_failures = [var.silence_hours]
}

run "refuses_an_alarm_that_rings_between_two_runs" {
  command = plan
  variables {
    type          = "cron"
    schedule      = "cron(0 3 ? * MON-FRI *)"
    silence_hours = 25
  }
  expect_failures = [var.silence_hours]
}

run "refuses_no_backlog" {
  command = plan
  variables {
    backlog_per_task = 0
  }
  expect_failures = [var.backlog_per_task]
}

run "refuses_an_age_that_one_killed_task_reaches" {
  command = plan
  variables {
    visibility_timeout_seconds = 900
  }
  expect_failures = [var.message_age_threshold_seconds]
}
