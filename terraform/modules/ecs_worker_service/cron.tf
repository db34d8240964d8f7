locals {
  finished = {
    namespace = module.names.names.task_family
    name      = "cron_finished"
  }

  gap_hours = try(module.schedule_gap[0].hours, null)
  # The precondition below refuses what would be longer.
  silence_hours = var.silence_hours != null ? var.silence_hours : min(try(ceil(local.gap_hours) + 1, 1), local.longest_deadline_hours)

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  longest_alarm_hours = 7 * 24
  # What module deadline_check accepts.
  longest_deadline_hours = 400 * 24
  needs_deadline_check   = !local.daemon && local.silence_hours > local.longest_alarm_hours

  silence = {
    metrics = {
      finished = merge(local.finished, { statistic = "Sum", dimensions = {} })
    }
    comparison   = "LessThanThreshold"
    threshold    = 1
    period       = 3600
    periods      = local.silence_hours
    missing_data = "breaching"
  }

  # Without `try`, which makes all of it unknown where a part is.
  cron_measures = {
    for name, measure in merge(concat(
      [{ silence = local.silence }],
      [for check in module.deadline_check : { silence = check.measure }],
      module.run[*].measures,
    )...) : name => measure if !local.daemon
  }
  cron_without = []
}

module "schedule_gap" {
  source = "../schedule_gap"
  count  = local.daemon || var.schedule == null ? 0 : 1

  schedule = var.schedule
}

module "run" {
  source = "../cron_run"
  count  = local.daemon ? 0 : 1

  identity    = module.names
  place       = module.task.place
  schedule    = var.schedule
  ecs_cluster = var.ecs_cluster
  task = {
    definition_arn    = module.task.task_definition_arn
    container_name    = module.task.container_name
    role_arns         = [module.task.task_role.arn, module.task.execution_role_arn]
    capacity_provider = module.task.capacity_provider
    launch_type       = var.launch_type
  }
  network            = local.network
  attempts           = var.run_attempts
  timeout_seconds    = var.run_timeout_seconds
  log_retention_days = var.log_retention_days
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  count = local.daemon ? 0 : 1

  name           = local.finished.name
  log_group_name = module.task.log_group_name
  pattern        = "{ $.message = \"cron finished\" }"

  metric_transformation {
    namespace = local.finished.namespace
    name      = local.finished.name
    value     = "1"
    unit      = "Count"
  }

  lifecycle {
    # Not a rule of the variable, which would be a cycle to Terraform.
    precondition {
      condition     = local.gap_hours == null ? false : local.gap_hours < local.longest_deadline_hours
      error_message = "The silence of ${coalesce(var.schedule, "no schedule")} cannot be watched: it names years, or its runs lie more than ${local.longest_deadline_hours / 24} days apart."
    }
  }
}

module "deadline_check" {
  source = "../deadline_check"
  count  = local.needs_deadline_check ? 1 : 0

  identity       = module.names
  place          = module.task.place
  schedule_group = module.run[0].schedule_group
  metric         = local.finished
  hours          = local.silence_hours
}
