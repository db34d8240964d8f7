output "endpoint" {
  description = "Host name of the writer."
  value       = aws_rds_cluster.this.endpoint
}

output "reader_endpoint" {
  description = "Host name of the readers."
  value       = aws_rds_cluster.this.reader_endpoint
}

output "port" {
  description = "Port of the database."
  value       = local.port
}

output "arn" {
  description = "ARN of the cluster."
  value       = aws_rds_cluster.this.arn
}

output "cluster_identifier" {
  description = "Identifier of the cluster."
  value       = local.cluster_identifier
}

output "cluster_resource_id" {
  description = "Id of the cluster in the ARNs of IAM authentication."
  value       = aws_rds_cluster.this.cluster_resource_id
}

output "master_user_secret_arn" {
  description = "Secret that holds the master user's name and password; null where the password was given."
  value       = local.managed_password ? local.master_user_secret_arn : null
}

output "url" {
  description = "Address of the database at the writer, without a password: a service's `DATABASE_URL`."
  value       = "${local.engine.scheme}://${join("", [for user in var.iam_user[*] : "${user}@"])}${aws_rds_cluster.this.endpoint}:${local.port}/${var.name}"
}

output "credentials" {
  description = "Where a service finds user and password, its `DATABASE_CREDENTIALS`: `iam`, the ARN of the master user's secret, or `url` where the password was given."
  value       = var.iam_user != null ? "iam" : local.managed_password ? local.master_user_secret_arn : "url"
}

output "task_policy_json" {
  description = "What a service's task must be allowed to sign in so; null where the password was given."
  value       = length(local.task_statements) == 0 ? null : jsonencode({ Version = "2012-10-17", Statement = local.task_statements })
}

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}

output "security_group_id" {
  description = "Security group of the data store."
  value       = module.network.security_group_id
}

output "names" {
  description = "Names of everything that belongs to the data store."
  value       = module.names.names
}

output "tags" {
  description = "Billing tags."
  value       = module.names.tags
}
