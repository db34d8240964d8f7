provider "aws" {
  region = "us-east-1"
}

variable "availability_zones" {
  description = "Zones that the instances are spread over."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

variable "image_id" {
  description = "Machine image to stay with; null for the newest."
  type        = string
  default     = null
}

module "ecs_cluster" {
  source = "../../modules/ecs_cluster"

  name               = "jobs"
  environment        = "prod"
  owner              = "Platform Team"
  availability_zones = var.availability_zones
  image_id           = var.image_id

  # Reserved: four instances. Above them, up to forty on spot.
  instance_types = ["m6i.xlarge", "m6i.2xlarge", "m6a.xlarge", "m5.xlarge"]
  on_demand      = { min = 4, max = 10 }
  spot           = { min = 0, max = 40 }
}
