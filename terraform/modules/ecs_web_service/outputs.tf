output "names" {
  description = "Names of everything that belongs to the service."
  value       = module.names.names
}

output "tags" {
  description = "Billing tags."
  value       = module.names.tags
}

output "service_name" {
  description = "Name of the ECS service."
  value       = module.service.name
}

output "task_definition_arn" {
  description = "Task definition, with its revision."
  value       = module.task.task_definition_arn
}

output "task_role" {
  description = "Role of the code: `arn` and `name`."
  value       = module.task.task_role
}

output "security_group_id" {
  description = "Security group of the tasks on Fargate; null on EC2."
  value       = module.task.security_group_id
}

output "log_group_name" {
  description = "Log group of the service."
  value       = module.task.log_group_name
}

output "target_group_arn" {
  description = "Target group of the service."
  value       = aws_lb_target_group.this.arn
}

output "load_balancer" {
  description = "Load balancer of the service's own: `dns_name`, `zone_id` and `security_group_id`; null on the shared one."
  value = local.own ? {
    dns_name          = module.load_balancer[0].dns_name
    zone_id           = module.load_balancer[0].zone_id
    security_group_id = module.load_balancer[0].security_group_id
  } : null
}

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}

output "dashboard_url" {
  description = "Where the service's dashboard is in the console."
  value       = module.dashboard.url
}
