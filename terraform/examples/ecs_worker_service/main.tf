provider "aws" {
  region = "us-east-1"
}

variable "service_version" {
  description = "Tag of the image, which is the commit it was built from."
  type        = string
  default     = "3f2c1ab"
}

module "duolingo-mailer" {
  source = "../../modules/ecs_worker_service"

  type            = "daemon"
  environment     = "prod"
  product         = "duolingo"
  service         = "mailer"
  owner           = "Learning Team"
  min_count       = 0
  max_count       = 8
  cpu             = 256
  memory          = 256
  ecs_cluster     = "prod"
  service_version = var.service_version

  # Everything below is optional: a second queue whose order counts, a table for idempotency, a bucket for large messages.
  queues             = { payments = { fifo = true, max_receives = 50 } }
  coordination_table = true
  payload_bucket     = true
}

output "queue_url" {
  description = "Where other services send to, with `send_policy_json` as their permission."
  value       = module.duolingo-mailer.queue.url
}

output "send_policy_json" {
  description = "What a sender gives its own module as `task_policy_json`."
  value       = module.duolingo-mailer.send_policy_json
}
