output "name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.this.name
}

output "id" {
  description = "ARN of the ECS service."
  value       = aws_ecs_service.this.id
}

output "scaling" {
  description = "What a scaling policy names its target by."
  value = {
    service_namespace  = aws_appautoscaling_target.this.service_namespace
    scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
    resource_id        = aws_appautoscaling_target.this.resource_id
  }
}

output "dimensions" {
  description = "Dimensions of the service's metrics in CloudWatch."
  value       = local.dimensions
}

output "measures" {
  description = "Measures of the alarms that every long-running service has, for module `alarms`."
  value = {
    memory-high = {
      metrics = {
        memory = { namespace = "AWS/ECS", name = "MemoryUtilization", statistic = "Average", dimensions = local.dimensions }
      }
      threshold = floor(0.95 * var.memory_percent)
      periods   = 15
    }
    cpu-high = {
      metrics = {
        cpu = { namespace = "AWS/ECS", name = "CPUUtilization", statistic = "Average", dimensions = local.dimensions }
      }
      threshold = 85
      periods   = 15
    }
    aws-throttles = {
      metrics    = { throttles = local.metrics["aws.calls.throttles"] }
      threshold  = 10
      periods    = 15
      datapoints = 10
      # baselib sends a count only of what happened.
      missing_data = "notBreaching"
    }
    restarts = {
      metrics = {
        restarts = local.metrics["restarts"]
        # One sample a minute and task.
        samples = { namespace = "AWS/ECS", name = "CPUUtilization", statistic = "SampleCount", dimensions = local.dimensions }
      }
      # Every task's share, so that a large service may do what a small one may.
      expression = "IF(samples > 0, FILL(restarts, 0) / (samples / 15), 0)"
      threshold  = 1
      period     = 900
      periods    = 2
      # Without tasks there is no sample, and other alarms say so.
      missing_data = "notBreaching"
    }
  }
}
