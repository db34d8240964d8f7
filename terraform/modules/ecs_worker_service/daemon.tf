locals {
  queue_metrics = {
    for name, queue in local.consumed : name => {
      for id, metric in { visible = "ApproximateNumberOfMessagesVisible", in_flight = "ApproximateNumberOfMessagesNotVisible" } :
      id => {
        # A queue's name has no underscore, so that two never share an id.
        id         = "${id}_${replace(name, "-", "_")}"
        namespace  = "AWS/SQS"
        name       = metric
        statistic  = "Maximum"
        dimensions = { QueueName = queue.queue_name }
      }
    }
  }

  # Every running task sends one sample a minute, so this needs neither Container Insights nor code.
  running = {
    id         = "running"
    namespace  = "AWS/ECS"
    name       = "CPUUtilization"
    statistic  = "SampleCount"
    dimensions = try(module.service[0].dimensions, {})
  }

  scales = local.daemon && var.queue != "none"
  sleeps = local.scales && var.min_count == 0

  # SQS reports messages in flight only while there are some.
  backlog = join(" + ", flatten([
    for metrics in values(local.queue_metrics) : [metrics.visible.id, "FILL(${metrics.in_flight.id}, 0)"]
  ]))
  waiting = join(" + ", [for metrics in values(local.queue_metrics) : "FILL(${metrics.visible.id}, 0)"])
}

module "service" {
  source = "../ecs_service"
  count  = local.daemon ? 1 : 0

  identity            = module.names
  ecs_cluster         = var.ecs_cluster
  task_definition_arn = module.task.task_definition_arn
  min_count           = var.min_count
  max_count           = var.max_count
  launch_type         = var.launch_type
  capacity_provider   = module.task.capacity_provider
  spot                = var.spot
  network             = local.network
  memory_percent      = module.task.memory_percent

  rollback_alarm_names = module.alarms.rollback_names
}

# https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
resource "aws_appautoscaling_policy" "backlog" {
  count = local.scales ? 1 : 0

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
        for_each = { for metric in concat(flatten([for metrics in values(local.queue_metrics) : values(metrics)]), [local.running]) : metric.id => metric }

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

      # The last minute's samples come late; taken for 0 they would make a large fleet's backlog look its own sum.
      metrics {
        id          = "tasks"
        label       = "Running tasks"
        expression  = "FILL(running, REPEAT)"
        return_data = false
      }

      metrics {
        id          = "backlog"
        label       = "Messages a task, waiting and in flight"
        expression  = "(${local.backlog}) / IF(FILL(tasks, 0) > 0, tasks, 1)"
        return_data = true
      }
    }
  }
}

# Target tracking multiplies the number of tasks, which never leads away from 0:
# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html does the same for its endpoints.
resource "aws_appautoscaling_policy" "wake" {
  count = local.sleeps ? 1 : 0

  name               = "wake"
  policy_type        = "StepScaling"
  service_namespace  = module.service[0].scaling.service_namespace
  scalable_dimension = module.service[0].scaling.scalable_dimension
  resource_id        = module.service[0].scaling.resource_id

  step_scaling_policy_configuration {
    adjustment_type = "ChangeInCapacity"
    # Long enough for the first task to start and be counted; each further one is target tracking's.
    cooldown                = 300
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "wake" {
  count = local.sleeps ? 1 : 0

  alarm_name          = "${module.names.names.alarm_prefix}-wake"
  alarm_description   = "Starts the first task when messages wait and none runs; not for people."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  # Two of three, because FILL takes samples that are only late for tasks that are not there.
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.wake[0].arn]

  dynamic "metric_query" {
    for_each = { for metric in concat([for metrics in values(local.queue_metrics) : metrics.visible], [local.running]) : metric.id => metric }

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
    expression  = "IF(FILL(running, 0) > 0, 0, ${local.waiting})"
    return_data = true
  }

  tags = module.names.tags
}
