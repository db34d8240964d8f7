locals {
  monitoring_look_up = {
    clock_function_arn = var.clock_function_arn
    repositories_url   = var.repositories_url
    sentry_url         = var.sentry_url
  }

  repository_url = "${trimsuffix(local.found.repositories_url, "/")}/${module.names.names.ecs_service}"
  sentry_url     = local.found.sentry_url == "none" ? null : "${trimsuffix(local.found.sentry_url, "/")}/projects/${module.names.names.ecs_service}/"

  # A metric for each queue, and their greatest value where there are several.
  of_queues = {
    for id, metric in {
      age     = { name = "ApproximateAgeOfOldestMessage", queue = "queue_name" }
      visible = { name = "ApproximateNumberOfMessagesVisible", queue = "queue_name" }
      dead    = { name = "ApproximateNumberOfMessagesVisible", queue = "dead_letter_queue_name" }
      } : id => {
      metrics = {
        for name, queue in local.consumed : "${id}_${replace(name, "-", "_")}" => {
          namespace  = "AWS/SQS"
          name       = metric.name
          statistic  = "Maximum"
          dimensions = { QueueName = queue[metric.queue] }
        }
      }
      greatest = "MAX([${join(", ", [for name in keys(local.consumed) : "FILL(${id}_${replace(name, "-", "_")}, 0)"])}])"
    }
  }

  # A queue that nobody has used for hours reports nothing, and then nothing waits in it.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html
  queue_measures = {
    oldest-message-age = {
      metrics      = local.of_queues.age.metrics
      expression   = length(local.consumed) > 1 ? local.of_queues.age.greatest : null
      threshold    = var.message_age_threshold_seconds
      periods      = 5
      missing_data = "notBreaching"
    }
    dead-letter-messages = {
      metrics      = local.of_queues.dead.metrics
      expression   = length(local.consumed) > 1 ? local.of_queues.dead.greatest : null
      threshold    = 0
      periods      = 1
      missing_data = "notBreaching"
    }
    no-running-task = {
      metrics      = merge(local.of_queues.visible.metrics, { running = { for key, value in local.running : key => value if key != "id" } })
      expression   = "IF(FILL(running, 0) < 1, ${local.of_queues.visible.greatest}, 0)"
      comparison   = "GreaterThanThreshold"
      threshold    = 0
      periods      = 5
      missing_data = "notBreaching"
    }
  }

  loop_measures = {
    no-running-task = {
      metrics    = { running = { for key, value in local.running : key => value if key != "id" } }
      comparison = "LessThanThreshold"
      threshold  = 1
      periods    = 5
      # Without a task there is no sample.
      missing_data = "breaching"
    }
  }

  has_queue = length(local.consumed) > 0

  # A message that is tried again and then handled has not failed anybody.
  lost = {
    for id, metric in { lost = "messages.dead", handled = "messages.deleted" } : id => {
      namespace              = local.contract.metrics.namespace
      name                   = "${var.product}.${var.service}.${metric}"
      statistic              = "Sum"
      dimensions             = { (local.contract.metrics.dimension) = var.environment }
    }
  }
}

module "availability" {
  source = "../service_level_objective"
  count  = local.has_queue ? 1 : 0

  name      = "availability"
  objective = var.availability_objective
  metrics   = local.lost
  bad       = "FILL(lost, 0)"
  # Where one of the two is missing, the other is all there is.
  bad_percent = "IF(FILL(lost, 0) + FILL(handled, 0) > 0, 100 * FILL(lost, 0) / (FILL(lost, 0) + FILL(handled, 0)), 0)"
}

module "alarms" {
  source = "../alarms"

  identity     = module.names
  kind         = "worker-${var.type}"
  playbook_url = local.playbook_url
  contact      = var.contact
  topic_arns = {
    emergency = local.found.emergency_topic_arn
    warning   = local.found.warning_topic_arn
  }

  measures = merge(
    local.cron_measures,
    try(module.service[0].measures, {}),
    { for name, measure in local.queue_measures : name => measure if local.has_queue },
    { for name, measure in local.loop_measures : name => measure if local.daemon && !local.has_queue },
  )
  without = setunion(
    local.cron_without,
    local.daemon && !local.has_queue ? ["availability-burn-fast", "availability-burn-slow", "dead-letter-messages", "oldest-message-age"] : [],
  )

  parts = merge(module.availability[*].parts...)

  # One page for one trouble: a worker that does not run, or does not keep up, is one alarm. Dead letters page by themselves.
  composites = merge(
    { for name, any_of in { service-down = concat([["no-running-task"]], local.has_queue ? [["oldest-message-age"]] : []) } : name => { any_of = any_of, suppressor = null } if local.daemon },
    {
      for name, composite in merge(module.availability[*].composites...) : name => {
        any_of     = composite.any_of
        suppressor = name == "availability-burn-fast" ? "service-down" : null
      }
    },
  )
}

module "dashboard" {
  source = "../dashboard"

  identity           = module.names
  kind               = "worker-${var.type}"
  ecs_cluster        = var.ecs_cluster
  container_insights = var.container_insights
  log_group_name     = module.task.log_group_name
  clock_function_arn = local.found.clock_function_arn
  alarm_arns         = module.alarms.arns
  objectives         = module.availability[*].panel
  queues             = local.consumed
  links = {
    repository = local.repository_url
    playbook   = local.playbook_url
    sentry     = local.sentry_url
  }
  cron = local.daemon ? null : {
    state_machine_arn = module.run[0].state_machine_arn
    finished          = local.finished
    silence_hours     = local.silence_hours
  }
}
