provider "aws" {
  region = "us-east-1"
}

variable "num_nodes" {
  description = "Nodes of each cache: for redis a primary and replicas."
  type        = number
  default     = 2
}

module "duolingo-api-redis" {
  source = "../../modules/elasticache"

  environment = "prod"
  product     = "duolingo"
  service     = "api"
  subservice  = "redis"
  owner       = "Learning Team"
  engine      = "redis"
  num_nodes   = var.num_nodes
}

module "duolingo-api-memcached" {
  source = "../../modules/elasticache"

  environment = "prod"
  product     = "duolingo"
  service     = "api"
  subservice  = "cache"
  owner       = "Learning Team"
  engine      = "memcached"
  num_nodes   = var.num_nodes
}

output "redis_url" {
  description = "The service's REDIS_URL."
  value       = module.duolingo-api-redis.url
}

output "memcached_url" {
  description = "The service's MEMCACHED_URL."
  value       = module.duolingo-api-memcached.url
}
