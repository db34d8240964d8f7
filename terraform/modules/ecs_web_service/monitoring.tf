locals {
  dimensions = {
    LoadBalancer = local.load_balancer
    TargetGroup  = aws_lb_target_group.this.arn_suffix
  }
}

module "alarms" {
  source = "../alarms"

  identity     = module.names
  kind         = "web"
  playbook_url = var.playbook_url
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
    }
    errors-5xx = {
      metrics = {
        errors   = { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.dimensions }
        requests = { namespace = "AWS/ApplicationELB", name = "RequestCount", statistic = "Sum", dimensions = local.dimensions }
      }
      # Without errors their count is missing, not 0.
      expression = "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)"
      threshold  = 1
      periods    = 5
      datapoints = 3
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
}
