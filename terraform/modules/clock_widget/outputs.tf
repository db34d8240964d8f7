output "function_arn" {
  description = "ARN of the function, which dashboards find as `clock_function_arn` in the look-up table."
  value       = aws_lambda_function.this.arn
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}
