locals {
  monitoring_look_up = {
    clock_function_arn = var.clock_function_arn
    repositories_url   = var.repositories_url
    sentry_url         = var.sentry_url
  }

  repository_url = "${trimsuffix(local.found.repositories_url, "/")}/${module.names.names.ecs_service}"
  sentry_url     = local.found.sentry_url == "none" ? null : "${trimsuffix(local.found.sentry_url, "/")}/projects/${module.names.names.ecs_service}/"

  dimensions = {
    LoadBalancer = local.load_balancer
    TargetGroup  = aws_lb_target_group.this.arn_suffix
  }

  requests = { namespace = "AWS/ApplicationELB", name = "RequestCount", statistic = "Sum", dimensions = local.dimensions }
  errors   = { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.dimensions }
  refused  = { namespace = "AWS/ApplicationELB", name = "TargetConnectionErrorCount", statistic = "Sum", dimensions = local.dimensions }

  # Without errors their count is missing, not 0, and so is that of requests without requests.
  failed         = "FILL(errors, 0) + FILL(refused, 0)"
  failed_percent = "IF(FILL(requests, 0) > 0, 100 * (${local.failed}) / requests, 0)"
}

module "availability" {
  source = "../service_level_objective"

  name        = "availability"
  objective   = var.availability_objective
  metrics     = { errors = local.errors, refused = local.refused, requests = local.requests }
  bad         = local.failed
  bad_percent = local.failed_percent
}

module "latency" {
  source = "../service_level_objective"

  name      = "latency"
  objective = var.latency_objective
  metrics = {
    # The per cent of answers that took no longer.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    quick   = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", statistic = "PR(0:${var.latency_threshold_seconds})", dimensions = local.dimensions }
    answers = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", statistic = "SampleCount", dimensions = local.dimensions }
  }
  bad         = "(100 - quick) / 100 * answers"
  bad_percent = "100 - quick"
}

module "alarms" {
  source = "../alarms"

  identity     = module.names
  kind         = "web"
  playbook_url = local.playbook_url
  contact      = var.contact
  topic_arns = {
    emergency = local.found.emergency_topic_arn
    warning   = local.found.warning_topic_arn
  }

  measures = merge(module.service.measures, {
    latency-p99 = {
      metrics = {
        latency = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", statistic = "p99", dimensions = local.dimensions }
      }
      threshold  = var.latency_threshold_seconds
      periods    = 5
      datapoints = 3
      # Without answers nothing is slow.
      missing_data = "notBreaching"
    }
    errors-5xx = {
      metrics    = { errors = local.errors, refused = local.refused, requests = local.requests }
      expression = local.failed_percent
      threshold  = 1
      periods    = 5
      datapoints = 3
      # Without requests nothing fails.
      missing_data = "notBreaching"
    }
    no-healthy-task = {
      metrics = {
        healthy = { namespace = "AWS/ApplicationELB", name = "HealthyHostCount", statistic = "Maximum", dimensions = local.dimensions }
      }
      comparison = "LessThanThreshold"
      threshold  = 1
      periods    = 2
      # A target group without any target reports nothing.
      missing_data = "breaching"
    }
  })

  parts = merge(module.availability.parts, module.latency.parts)

  # One page for one trouble: errors and missing tasks are one alarm, which holds back the burn rate that they cause, and slow
  # answers hold back theirs. Slowness that grows into an outage pages once more.
  composites = merge(
    { service-down = { any_of = [["no-healthy-task"], ["errors-5xx"]] } },
    {
      for name, composite in merge(module.availability.composites, module.latency.composites) : name => {
        any_of     = composite.any_of
        suppressor = lookup({ availability-burn-fast = "service-down", latency-burn-fast = "latency-p99" }, name, null)
      }
    },
  )
}

module "dashboard" {
  source = "../dashboard"

  identity           = module.names
  kind               = "web"
  ecs_cluster        = var.ecs_cluster
  container_insights = var.container_insights
  log_group_name     = module.task.log_group_name
  clock_function_arn = local.found.clock_function_arn
  alarm_arns         = module.alarms.arns
  objectives         = [module.availability.panel, module.latency.panel]
  links = {
    repository = local.repository_url
    playbook   = local.playbook_url
    sentry     = local.sentry_url
  }
  load_balancer = {
    dimensions                = local.dimensions
    latency_threshold_seconds = var.latency_threshold_seconds
  }
}
