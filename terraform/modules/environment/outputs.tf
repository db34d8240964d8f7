output "ecs_cluster" {
  description = "Name of the cluster, for a service's `ecs_cluster`."
  value       = module.ecs_cluster.name
}

output "look_up" {
  description = "What services find, by its key in the contract's look-up table."
  value       = { for key, parameter in aws_ssm_parameter.this : key => parameter.insecure_value }
}

output "domain" {
  description = "Domain, inside the VPC, that services have their host names in."
  value       = aws_route53_zone.this.name
}

output "load_balancer_dns_names" {
  description = "Host name of each load balancer, `internal` and `external`, which public records point to."
  value       = { for name, load_balancer in module.load_balancer : name => load_balancer.dns_name }
}

output "load_balancer_zone_ids" {
  description = "Route 53 zone of each load balancer's host name, for alias records."
  value       = { for name, load_balancer in module.load_balancer : name => load_balancer.zone_id }
}

output "nat_addresses" {
  description = "Address that each zone's traffic leaves from; null for a network that was given."
  value       = one(module.network[*].nat_addresses)
}

output "tags" {
  description = "Billing tags of what only this module makes."
  value       = module.names.tags
}
