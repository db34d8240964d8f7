provider "aws" {
  region = "us-east-1"
}

variable "volume_size" {
  description = "GiB of disk of each node."
  type        = number
  default     = 20
}

module "duolingo-api-search" {
  source = "../../modules/opensearch"

  environment          = "prod"
  product              = "duolingo"
  service              = "api"
  subservice           = "search"
  owner                = "Learning Team"
  instance_count       = 3
  master_instance_type = "m7g.medium.search"
  volume_size          = var.volume_size
}

output "elasticsearch_url" {
  description = "The service's ELASTICSEARCH_URL."
  value       = module.duolingo-api-search.url
}

output "task_policy_json" {
  description = "The service's task_policy_json."
  value       = module.duolingo-api-search.task_policy_json
}
