output "task_definition_arn" {
  description = "Task definition, with its revision."
  value       = aws_ecs_task_definition.this.arn

  # A task that starts before its role may read the image or the secrets fails.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task]
}

output "container_name" {
  description = "Name of the container."
  value       = local.container.name
}

output "task_role" {
  description = "Role of the code: `arn` and `name`."
  value       = { arn = aws_iam_role.task.arn, name = aws_iam_role.task.name }
}

output "execution_role_arn" {
  description = "Role with which ECS starts the task."
  value       = aws_iam_role.execution.arn
}

output "log_group_name" {
  description = "Log group of the service."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "Security group of the tasks on Fargate; null on EC2, where they share their host's."
  value       = one(aws_security_group.this[*].id)

  # A task that starts before the way out is open cannot pull its image, and one that drains after it is closed cannot answer.
  depends_on = [aws_vpc_security_group_egress_rule.this]
}

output "memory_percent" {
  description = "What ECS's memory metric shows when the service uses all of `memory` and the CloudWatch agent its reservation: Fargate measures against the size of the task."
  value       = local.fargate ? floor(100 * (var.memory + local.agent_share.memory) / local.task_memory) : 100
}

output "place" {
  description = "Where the task runs: `partition`, `region` and `account_id`."
  value       = { partition = local.partition, region = local.region, account_id = local.account_id }
}

output "capacity_provider" {
  description = "Capacity provider that the tasks run on."
  value       = local.capacity_provider
}
