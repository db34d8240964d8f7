output "name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "url" {
  description = "Where the dashboard is in the console."
  value       = "${local.console}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${local.names.dashboard}"
}
