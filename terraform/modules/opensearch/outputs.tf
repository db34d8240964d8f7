output "endpoint" {
  description = "Host name of the domain; requests are signed with the caller's role."
  value       = aws_opensearch_domain.this.endpoint
}

output "port" {
  description = "Port of the domain."
  value       = local.port
}

output "arn" {
  description = "Domain, for the policy of the task that may call it."
  value       = aws_opensearch_domain.this.arn
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
