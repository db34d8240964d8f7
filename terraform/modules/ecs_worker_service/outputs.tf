output "names" {
  description = "Names of everything that belongs to the service."
  value       = module.names.names
}

output "tags" {
  description = "Billing tags."
  value       = module.names.tags
}

output "service_name" {
  description = "Name of the ECS service of a daemon; null for a cron."
  value       = one(module.service[*].name)
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

output "queue" {
  description = "Queue of a daemon, to send to: `name`, `arn` and `url`; null without one."
  value       = try(local.queues.main.queue, null)
}

output "dead_letter_queue" {
  description = "Dead-letter queue of a daemon: `name`, `arn` and `url`; null without one."
  value       = try(local.queues.main.dead_letter_queue, null)
}

output "further_queues" {
  description = "Further queues by name, each with its `queue` and its `dead_letter_queue`: `name`, `arn` and `url`."
  value       = { for name, queue in local.queues : name => queue if name != "main" }
}

output "send_policy_json" {
  description = "What another service needs to send to the queues, large messages included, as its `task_policy_json`; null without a queue."
  value       = length(local.consumed) == 0 ? null : local.send_policy
}

output "coordination_table" {
  description = "Table for locks and for messages already handled: `name` and `arn`; null without one."
  value       = one([for table in aws_dynamodb_table.coordination : { name = table.name, arn = table.arn }])
}

output "payload_bucket" {
  description = "Bucket for large messages, which a sender finds in its own `PAYLOAD_BUCKET`: `name` and `arn`; null without one."
  value       = one([for bucket in aws_s3_bucket.payloads : { name = bucket.bucket, arn = bucket.arn }])
}

output "state_machine_arn" {
  description = "State machine of a cron, an execution of which runs the job by hand; null for a daemon."
  value       = one(module.run[*].state_machine_arn)
}

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}

output "dashboard_url" {
  description = "Where the service's dashboard is in the console."
  value       = module.dashboard.url
}
