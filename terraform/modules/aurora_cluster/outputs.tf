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

output "cluster_identifier" {
  description = "Identifier of the cluster."
  value       = local.cluster_identifier
}

output "cluster_resource_id" {
  description = "Id of the cluster in the ARNs of IAM authentication."
  value       = aws_rds_cluster.this.cluster_resource_id
}

output "master_user_secret_arn" {
  description = "Secret that holds the master user's name and password."
  value       = one(aws_rds_cluster.this.master_user_secret[*].secret_arn)
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
