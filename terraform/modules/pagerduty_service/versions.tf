terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
    # Version 4 may come without pagerduty_schedule; its successor still needs an early-access flag.
    pagerduty = {
      source  = "PagerDuty/pagerduty"
      version = ">= 3.30, < 4"
    }
  }
}
