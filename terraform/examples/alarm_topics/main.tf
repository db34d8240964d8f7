provider "aws" {
  region = "us-east-1"
}

variable "warning_emails" {
  description = "Addresses that get an e-mail for each warning."
  type        = list(string)
  default     = ["learning@example.com"]
}

module "alarm_topics" {
  source = "../../modules/alarm_topics"

  environment    = "prod"
  owner          = "Platform Team"
  warning_emails = var.warning_emails
}
