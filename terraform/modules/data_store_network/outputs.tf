output "security_group_id" {
  description = "Security group of the data store."
  value       = aws_security_group.this.id
}

output "private_subnet_ids" {
  description = "Subnets that the data store is in."
  value       = split(",", module.look_up.values.private_subnet_ids)
}
