output "service_id" {
  description = "Id of the service in PagerDuty."
  value       = pagerduty_service.this.id
}

output "escalation_policy_id" {
  description = "Id of the escalation policy, for further services of the same people."
  value       = pagerduty_escalation_policy.this.id
}

output "schedule_id" {
  description = "Id of the schedule."
  value       = pagerduty_schedule.this.id
}

output "alarm_names" {
  description = "Names of the alarms that page."
  value       = local.alarm_names
}
