locals {
  names = module.names.names
  tags  = module.names.tags

  zones = toset(var.availability_zones)

  # By its letter, so that a zone keeps its addresses whatever other zones come and go.
  numbers = { for zone in local.zones : zone => index(["a", "b", "c", "d", "e", "f", "g", "h"], substr(zone, -1, 1)) }

  nat_zones = var.single_nat_gateway ? toset(slice(var.availability_zones, 0, 1)) : local.zones

  gateway_services = toset(["dynamodb", "s3"])
}

module "names" {
  source = "../names"

  product     = "platform"
  service     = "network"
  environment = var.environment
  owner       = var.owner
}

data "aws_region" "this" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = merge(local.tags, { Name = local.names.network })
}

# Whoever forgets to name a security group gets this one, which lets nothing through.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(local.tags, { Name = "${local.names.network}-closed" })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = merge(local.tags, { Name = local.names.network })
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr_block, 4, 8 + local.numbers[each.key])
  # Load balancers and NAT gateways bring addresses of their own.
  map_public_ip_on_launch = false

  tags = merge(local.tags, { Name = "${local.names.network}-public-${each.key}" })

  # So that it goes only after load balancers and groups of instances have been told to leave it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = merge(local.tags, { Name = "${local.names.network}-public" })
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr_block, 4, local.numbers[each.key])
  map_public_ip_on_launch = false

  tags = merge(local.tags, { Name = "${local.names.network}-private-${each.key}" })

  # So that it goes only after load balancers and groups of instances have been told to leave it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id

  tags = merge(local.tags, { Name = "${local.names.network}-private-${each.key}" })
}

resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_eip" "this" {
  for_each = local.nat_zones

  domain = "vpc"

  tags = merge(local.tags, { Name = "${local.names.network}-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_zones

  allocation_id = aws_eip.this[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = merge(local.tags, { Name = "${local.names.network}-${each.key}" })

  # So that it goes only after all routes have left it: until then a zone whose gateway changes would be cut off.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route" "nat" {
  for_each = local.zones

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.single_nat_gateway ? var.availability_zones[0] : each.key].id
}

# These cost nothing, and their traffic would cost at a NAT gateway.
resource "aws_vpc_endpoint" "this" {
  for_each = local.gateway_services

  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.this.id}.${each.key}"

  tags = merge(local.tags, { Name = "${local.names.network}-${each.key}" })
}

resource "aws_vpc_endpoint_route_table_association" "this" {
  for_each = {
    for pair in setproduct(local.gateway_services, local.zones) : join("/", pair) => { service = pair[0], zone = pair[1] }
  }

  vpc_endpoint_id = aws_vpc_endpoint.this[each.value.service].id
  route_table_id  = aws_route_table.private[each.value.zone].id
}
