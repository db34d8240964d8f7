locals {
  queue_policy = !local.daemon ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [aws_sqs_queue.this[0].arn]
      },
      {
        # The queue's attributes name the dead-letter queue by ARN, and sending needs its URL.
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
        Resource = [aws_sqs_queue.dead_letter[0].arn]
      },
    ]
  })

  visible = {
    namespace  = "AWS/SQS"
    name       = "ApproximateNumberOfMessagesVisible"
    statistic  = "Maximum"
    dimensions = { QueueName = module.names.names.queue }
  }

  # Every running task sends one sample a minute, so this needs neither Container Insights nor code.
  running = {
    namespace  = "AWS/ECS"
    name       = "CPUUtilization"
    statistic  = "SampleCount"
    dimensions = try(module.service[0].dimensions, {})
  }

  daemon_measures = !local.daemon ? {} : merge(module.service[0].measures, {
    oldest-message-age = {
      metrics = {
        age = {
          namespace  = "AWS/SQS"
          name       = "ApproximateAgeOfOldestMessage"
          statistic  = "Maximum"
          dimensions = { QueueName = aws_sqs_queue.this[0].name }
        }
      }
      threshold = var.message_age_threshold_seconds
      periods   = 5
    }
    dead-letter-messages = {
      metrics = {
        dead = {
          namespace  = "AWS/SQS"
          name       = "ApproximateNumberOfMessagesVisible"
          statistic  = "Maximum"
          dimensions = { QueueName = aws_sqs_queue.dead_letter[0].name }
        }
      }
      threshold = 0
      periods   = 1
    }
  })
}

resource "aws_sqs_queue" "dead_letter" {
  count = local.daemon ? 1 : 0

  name                      = module.names.names.dead_letter_queue
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    # Built, because the queue itself needs this one's ARN.
    sourceQueueArns = ["arn:${module.task.place.partition}:sqs:${module.task.place.region}:${module.task.place.account_id}:${module.names.names.queue}"]
  })

  tags = module.names.tags
}

resource "aws_sqs_queue" "this" {
  count = local.daemon ? 1 : 0

  name                       = module.names.names.queue
  message_retention_seconds  = 4 * 24 * 3600
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = var.visibility_timeout_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter[0].arn
    maxReceiveCount     = var.max_receives
  })

  tags = module.names.tags
}

module "service" {
  source = "../ecs_service"
  count  = local.daemon ? 1 : 0

  identity            = module.names
  ecs_cluster         = var.ecs_cluster
  task_definition_arn = module.task.task_definition_arn
  least_count         = 0
  min_count           = var.min_count
  max_count           = var.max_count
  launch_type         = var.launch_type
  capacity_provider   = module.task.capacity_provider
  spot                = var.spot
  network             = local.network
  memory_percent      = module.task.memory_percent
}

resource "aws_appautoscaling_policy" "backlog" {
  count = local.daemon ? 1 : 0

  name               = "backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = module.service[0].scaling.service_namespace
  scalable_dimension = module.service[0].scaling.scalable_dimension
  resource_id        = module.service[0].scaling.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      dynamic "metrics" {
        for_each = { visible = local.visible, running = local.running }

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = metrics.value.statistic

            metric {
              namespace   = metrics.value.namespace
              metric_name = metrics.value.name

              dynamic "dimensions" {
                for_each = metrics.value.dimensions

                content {
                  name  = dimensions.key
                  value = dimensions.value
                }
              }
            }
          }
        }
      }

      metrics {
        id          = "backlog"
        label       = "Visible messages a task"
        expression  = "visible / IF(FILL(running, 0) > 0, running, 1)"
        return_data = true
      }
    }
  }
}

# Target tracking multiplies the number of tasks, which never leads away from 0.
resource "aws_appautoscaling_policy" "wake" {
  count = local.daemon && var.min_count == 0 ? 1 : 0

  name               = "wake"
  policy_type        = "StepScaling"
  service_namespace  = module.service[0].scaling.service_namespace
  scalable_dimension = module.service[0].scaling.scalable_dimension
  resource_id        = module.service[0].scaling.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 60
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  count = local.daemon && var.min_count == 0 ? 1 : 0

  alarm_name          = "${module.names.names.alarm_prefix}-wake"
  alarm_description   = "Starts the first task when messages wait and none runs; not for people."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.wake[0].arn]

  dynamic "metric_query" {
    for_each = { visible = local.visible, running = local.running }

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        stat        = metric_query.value.statistic
        dimensions  = metric_query.value.dimensions
        period      = 60
      }
    }
  }

  metric_query {
    id          = "sleeping"
    label       = "Messages that wait without a task"
    expression  = "IF(FILL(running, 0) > 0, 0, visible)"
    return_data = true
  }

  tags = module.names.tags
}
