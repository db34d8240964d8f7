output "names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.alarm_name }
}
