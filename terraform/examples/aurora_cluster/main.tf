provider "aws" {
  region = "us-east-1"
}

variable "num_cluster_instances" {
  description = "One writer, and readers."
  type        = number
  default     = 2
}

variable "deletion_protection" {
  description = "Set to false, and applied, before the cluster can be destroyed."
  type        = bool
  default     = true
}

module "duolingo-api-db" {
  source = "../../modules/aurora_cluster"

  environment           = "prod"
  product               = "duolingo"
  service               = "api"
  subservice            = "db"
  owner                 = "Max Blaze"
  cluster_identifier    = "duolingo-api-db-cluster"
  identifier            = "duolingo-api"
  engine                = "aurora-postgresql"
  name                  = "duolingo"
  instance_class        = "db.r6g.large"
  num_cluster_instances = var.num_cluster_instances
  deletion_protection   = var.deletion_protection
}

output "database_url" {
  description = "The service's DATABASE_URL."
  value       = module.duolingo-api-db.url
}

output "database_credentials" {
  description = "The service's DATABASE_CREDENTIALS."
  value       = module.duolingo-api-db.credentials
}

output "task_policy_json" {
  description = "The service's task_policy_json."
  value       = module.duolingo-api-db.task_policy_json
}
