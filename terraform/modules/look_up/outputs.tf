output "values" {
  description = "Each thing wanted, given or found; a list is joined by commas."
  value       = tomap({ for key, value in var.given : key => value != null ? value : data.aws_ssm_parameter.this[key].insecure_value })

  # Not at the parameter: with a condition of its own, Terraform reads it only after what another value given waits for.
  precondition {
    # A SecureString has no value that may be shown in a plan.
    condition     = length(local.unreadable) == 0
    error_message = "SSM parameter ${join(", ", [for key in local.unreadable : "${local.wanted[key]} (${key})"])} must be of type String or StringList and hold a value."
  }
}
