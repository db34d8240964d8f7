output "emergency_topic_arn" {
  description = "SNS topic that pages."
  value       = aws_sns_topic.this["emergency"].arn

  depends_on = [aws_sns_topic_policy.this]
}

output "warning_topic_arn" {
  description = "SNS topic that sends e-mail."
  value       = aws_sns_topic.this["warning"].arn

  depends_on = [aws_sns_topic_policy.this]
}

output "key_arn" {
  description = "Key that the messages are encrypted with."
  value       = aws_kms_key.this.arn
}

output "tags" {
  description = "Billing tags."
  value       = module.names.tags
}
