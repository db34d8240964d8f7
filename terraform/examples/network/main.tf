provider "aws" {
  region = "us-east-1"
}

variable "availability_zones" {
  description = "Zones that the network spans."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

module "network" {
  source = "../../modules/network"

  environment        = "prod"
  owner              = "Platform Team"
  availability_zones = var.availability_zones
}
