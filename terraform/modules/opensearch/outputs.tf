output "endpoint" {
  description = "Host name of the domain; requests are signed with the caller's role."
  value       = aws_opensearch_domain.this.endpoint
}

output "url" {
  description = "Address of the domain: a service's `ELASTICSEARCH_URL`."
  value       = "https://${aws_opensearch_domain.this.endpoint}"
}

output "port" {
  description = "Port of the domain."
  value       = local.port
}

output "arn" {
  description = "ARN of the domain."
  value       = aws_opensearch_domain.this.arn
}

output "task_policy_json" {
  description = "What a service's task must be allowed to search and write."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = local.requests
      Resource = ["${aws_opensearch_domain.this.arn}/*"]
    }]
  })
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

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}
