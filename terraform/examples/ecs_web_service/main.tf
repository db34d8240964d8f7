provider "aws" {
  region = "us-east-1"
}

variable "service_version" {
  description = "Tag of the image, which is the commit that it was built from."
  type        = string
  default     = "3f2c1ab"
}

# What it stands on comes from the environment's look-up table, and everything else follows from these.
module "duolingo-api" {
  source = "../../modules/ecs_web_service"

  environment     = "prod"
  product         = "duolingo"
  service         = "api"
  owner           = "Max Blaze"
  min_count       = 2
  max_count       = 4
  cpu             = 512
  memory          = 256
  ecs_cluster     = "prod"
  internal        = "true"
  container_port  = 5000
  service_version = var.service_version
}

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.duolingo-api.alarm_names
}
