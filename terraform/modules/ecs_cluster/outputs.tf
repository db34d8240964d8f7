output "name" {
  description = "Name of the cluster, for a service's `ecs_cluster`."
  value       = aws_ecs_cluster.this.name

  # A service that names a capacity provider needs it to be attached.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "arn" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.arn
}

output "capacity_providers" {
  description = "Names of the capacity providers of EC2 instances, `on-demand` and `spot`."
  value       = { for purchase, provider in aws_ecs_capacity_provider.this : purchase => provider.name }
}

output "security_group_id" {
  description = "Security group of the instances."
  value       = aws_security_group.this.id
}

output "instance_role_name" {
  description = "IAM role of the instances."
  value       = aws_iam_role.this.name
}

output "container_insights" {
  description = "Whether CloudWatch Container Insights is on."
  value       = var.container_insights
}

output "tags" {
  description = "Billing tags."
  value       = local.tags
}
