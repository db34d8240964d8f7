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
  }
}
