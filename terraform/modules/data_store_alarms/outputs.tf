output "names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}
