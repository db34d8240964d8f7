locals {
  place       = module.task.place
  cluster_arn = "arn:${local.place.partition}:ecs:${local.place.region}:${local.place.account_id}:cluster/${var.ecs_cluster}"

  finished = {
    namespace = module.names.names.task_family
    name      = "cron_finished"
  }

  cron_measures = local.daemon ? {} : {
    silence = {
      metrics = {
        finished = merge(local.finished, { statistic = "Sum", dimensions = {} })
      }
      comparison   = "LessThanThreshold"
      threshold    = 1
      period       = 3600
      periods      = var.silence_hours
      missing_data = "breaching"
    }
  }
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
}

resource "aws_iam_role" "scheduler" {
  count = local.daemon ? 0 : 1

  name        = module.names.names.scheduler_role
  description = "What EventBridge Scheduler needs to start ${module.names.names.ecs_service}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = local.place.account_id
          # A schedule's trust is by its group; its own ARN would match nothing.
          "aws:SourceArn" = "arn:${local.place.partition}:scheduler:${local.place.region}:${local.place.account_id}:schedule-group/default"
        }
      }
    }]
  })

  tags = module.names.tags
}

resource "aws_iam_role_policy" "scheduler" {
  count = local.daemon ? 0 : 1

  name = "run"
  role = aws_iam_role.scheduler[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = ["ecs:RunTask"]
        # Every revision, so that a deployment does not touch the role.
        Resource  = ["arn:${local.place.partition}:ecs:${local.place.region}:${local.place.account_id}:task-definition/${module.names.names.task_family}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["arn:${local.place.partition}:ecs:${local.place.region}:${local.place.account_id}:task/${var.ecs_cluster}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [module.task.task_role.arn, module.task.execution_role_arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_scheduler_schedule" "this" {
  count = local.daemon ? 0 : 1

  name                         = module.names.names.schedule
  description                  = "Runs ${module.names.names.ecs_service}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = local.cluster_arn
    role_arn = aws_iam_role.scheduler[0].arn

    ecs_parameters {
      task_definition_arn     = module.task.task_definition_arn
      task_count              = 1
      launch_type             = module.task.capacity_provider == null ? var.launch_type : null
      propagate_tags          = "TASK_DEFINITION"
      enable_ecs_managed_tags = true

      dynamic "capacity_provider_strategy" {
        for_each = module.task.capacity_provider[*]

        content {
          capacity_provider = capacity_provider_strategy.value
          weight            = 1
        }
      }

      dynamic "network_configuration" {
        for_each = local.network[*]

        content {
          subnets          = network_configuration.value.subnet_ids
          security_groups  = network_configuration.value.security_group_ids
          assign_public_ip = false
        }
      }
    }

    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}
