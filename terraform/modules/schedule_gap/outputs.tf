output "hours" {
  description = "Hours from one run to the next, at most; null where there is no next one, or none within 28 years."
  value       = local.rate != null ? local.rate_gap : local.cron_gap
}
