output "arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "What CloudWatch's metrics call the load balancer."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Host name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Route 53 zone of the host name, for an alias record."
  value       = aws_lb.this.zone_id
}

output "listener_arn" {
  description = "Listener that rules are added to: that of HTTPS where there is a certificate."
  value       = local.encrypted ? aws_lb_listener.https[0].arn : aws_lb_listener.http.arn
}

output "security_group_id" {
  description = "Security group of the load balancer, which its targets admit."
  value       = aws_security_group.this.id
}
