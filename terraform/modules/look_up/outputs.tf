output "values" {
  description = "Each thing wanted, given or found; a list is joined by commas."
  value       = tomap({ for key, value in var.given : key => value != null ? value : data.aws_ssm_parameter.this[key].insecure_value })
}
