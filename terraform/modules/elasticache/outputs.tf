output "endpoint" {
  description = "Host name of the primary (redis) or of the configuration (memcached)."
  value       = local.redis ? aws_elasticache_replication_group.this[0].primary_endpoint_address : aws_elasticache_cluster.this[0].cluster_address
}

output "reader_endpoint" {
  description = "Host name of the replicas of redis; null for memcached."
  value       = one(aws_elasticache_replication_group.this[*].reader_endpoint_address)
}

output "url" {
  description = "Address of the cache: a service's `REDIS_URL` or `MEMCACHED_URL`."
  value = (
    local.redis
    ? "rediss://${aws_elasticache_replication_group.this[0].primary_endpoint_address}:${local.port}"
    : "memcached://${aws_elasticache_cluster.this[0].cluster_address}:${local.port}"
  )
}

output "port" {
  description = "Port of the cache."
  value       = local.port
}

output "security_group_id" {
  description = "Security group of the data store."
  value       = module.network.security_group_id
}

output "names" {
  description = "Names of everything that belongs to the data store."
  value       = module.names.names
}

output "tags" {
  description = "Billing tags."
  value       = module.names.tags
}

output "alarm_names" {
  description = "Name of each alarm in CloudWatch, by its name in the contract."
  value       = module.alarms.names
}
