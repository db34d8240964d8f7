output "queue" {
  description = "The queue: `name`, `arn` and `url`."
  value       = { name = aws_sqs_queue.this.name, arn = aws_sqs_queue.this.arn, url = aws_sqs_queue.this.url }
}

output "dead_letter_queue" {
  description = "Its dead-letter queue: `name`, `arn` and `url`."
  value       = { name = aws_sqs_queue.dead_letter.name, arn = aws_sqs_queue.dead_letter.arn, url = aws_sqs_queue.dead_letter.url }
}
