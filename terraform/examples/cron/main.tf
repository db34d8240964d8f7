provider "aws" {
  region = "us-east-1"
}

variable "service_version" {
  description = "Tag of the image, which is the commit it was built from."
  type        = string
  default     = "3f2c1ab"
}

variable "schedule" {
  description = "When the job runs, in UTC."
  type        = string
  default     = "cron(0 3 * * ? *)"
}

module "duolingo-report" {
  source = "../../modules/ecs_worker_service"

  type            = "cron"
  schedule        = var.schedule
  environment     = "prod"
  product         = "duolingo"
  service         = "report"
  owner           = "Learning Team"
  cpu             = 256
  memory          = 256
  ecs_cluster     = "prod"
  service_version = var.service_version
}

output "state_machine_arn" {
  description = "To run the job by hand, start an execution of this without input."
  value       = module.duolingo-report.state_machine_arn
}
