provider "aws" {
  region = "us-east-1"
}

variable "vpc_id" {
  description = "VPC of the load balancer."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets in at least two availability zones."
  type        = list(string)
}

variable "certificate_arn" {
  description = "Certificate of the host names that the services behind it answer to."
  type        = string
}

variable "deletion_protection" {
  description = "Set to false, and applied, before the load balancer can be destroyed."
  type        = bool
  default     = true
}

module "names" {
  source = "../../modules/names"

  product     = "platform"
  service     = "external"
  environment = "prod"
  owner       = "Platform Team"
}

module "load_balancer" {
  source = "../../modules/load_balancer"

  identity            = module.names
  internal            = false
  vpc_id              = var.vpc_id
  subnet_ids          = var.subnet_ids
  certificate_arn     = var.certificate_arn
  deletion_protection = var.deletion_protection
}

output "listener_arn" {
  description = "What the environment publishes as `external_load_balancer_listener_arn`."
  value       = module.load_balancer.listener_arn
}
