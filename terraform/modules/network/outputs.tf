output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr_block" {
  description = "Addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Private subnet of each zone, by the zone's name."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }

  # A task that starts before its subnet has a way out cannot fetch its image.
  depends_on = [aws_route.nat, aws_route_table_association.private]
}

output "public_subnet_ids" {
  description = "Public subnet of each zone, by the zone's name."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }

  depends_on = [aws_route.internet, aws_route_table_association.public]
}

output "nat_addresses" {
  description = "Address that each zone's traffic leaves from, by the name of the zone of the NAT gateway."
  value       = { for zone, address in aws_eip.this : zone => address.public_ip }
}

output "tags" {
  description = "Billing tags."
  value       = local.tags
}
