provider "aws" {
  region = "us-east-1"
}

variable "availability_zones" {
  description = "Zones of everything."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

variable "leaving_zones" {
  description = "Zones that are being left."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "Certificate of the external load balancer."
  type        = string
}

module "environment" {
  source = "../../modules/environment"

  environment        = "staging"
  owner              = "Platform Team"
  availability_zones = var.availability_zones
  leaving_zones      = var.leaving_zones
  repositories_url   = "https://github.com/duolingo"
  sentry_url         = "https://duolingo.sentry.io"
  certificate_arn    = var.certificate_arn
  warning_emails     = ["learning@example.com"]
}

output "look_up" {
  description = "What services find."
  value       = module.environment.look_up
}
