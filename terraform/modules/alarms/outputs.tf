output "names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value = merge(
    { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.alarm_name if contains(keys(var.measures), name) },
    { for name, alarm in aws_cloudwatch_composite_alarm.this : name => alarm.alarm_name },
    { for name, alarm in aws_cloudwatch_composite_alarm.suppressed : name => alarm.alarm_name },
  )
}

output "arns" {
  description = "ARN of each alarm, by its name in the contract."
  value = merge(
    { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.arn if contains(keys(var.measures), name) },
    { for name, alarm in aws_cloudwatch_composite_alarm.this : name => alarm.arn },
    { for name, alarm in aws_cloudwatch_composite_alarm.suppressed : name => alarm.arn },
  )
}

output "rollback_names" {
  description = "Names in CloudWatch of the alarms that a deployment is rolled back by: emergencies that do not ring for want of data, as they would while the first task starts."
  value = sort([
    for name, alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name
    if contains(keys(var.measures), name)
    && try(local.catalogue[name].severity == "emergency", false)
    && try(var.measures[name].missing_data != "breaching", false)
  ])
}
