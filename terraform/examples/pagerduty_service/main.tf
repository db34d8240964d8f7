provider "aws" {
  region = "us-east-1"
}

# PAGERDUTY_TOKEN and, for Slack, PAGERDUTY_USER_TOKEN are read from the environment.
provider "pagerduty" {}

module "duolingo-api-paging" {
  source = "../../modules/pagerduty_service"

  environment = "prod"
  product     = "duolingo"
  service     = "api"
  subservices = ["db", "cache"]
  owner       = "Learning Team"
  time_zone   = "America/New_York"

  rotation = [
    {
      name   = "weekly"
      people = ["ada@example.com", "grace@example.com", "katherine@example.com"]
      start  = "2026-01-05T10:00:00-05:00"
    },
    {
      name        = "nights"
      people      = ["hedy@example.com", "radia@example.com"]
      start       = "2026-01-05T22:00:00-05:00"
      restriction = { start_time = "22:00:00", hours = 8 }
    },
  ]
  escalation = [["margaret@example.com"], ["barbara@example.com", "frances@example.com"]]

  slack = {
    workspace_id = "T02A123LV1A"
    channel_id   = "C02CABCDAC9"
  }
}

output "alarm_names" {
  description = "Names of the alarms that page."
  value       = module.duolingo-api-paging.alarm_names
}
