# Applied once for each environment, before anything else there has a remote state.
provider "aws" {
  region = "us-east-1"
}

module "state_bucket" {
  source = "../../modules/state_bucket"

  environment = "prod"
  owner       = "Platform Team"
}

output "bucket" {
  description = "Goes into terraform/environments/prod.s3.tfbackend of each service."
  value       = module.state_bucket.bucket
}
