locals {
  contract = module.names.contract

  network = var.network != null ? var.network : {
    vpc_id             = one(module.network[*].vpc_id)
    cidr_blocks        = [var.cidr_block]
    private_subnet_ids = one(module.network[*].private_subnet_ids)
    public_subnet_ids  = one(module.network[*].public_subnet_ids)
  }

  zones              = sort(var.availability_zones)
  private_subnet_ids = [for zone in local.zones : local.network.private_subnet_ids[zone]]
  public_subnet_ids  = [for zone in local.zones : local.network.public_subnet_ids[zone]]

  # Each load balancer by its name, which is also how a service asks for it.
  load_balancers = merge(
    { internal = { subnet_ids = local.private_subnet_ids, certificate_arn = null } },
    var.external_load_balancer ? { external = { subnet_ids = local.public_subnet_ids, certificate_arn = var.certificate_arn } } : {},
  )
}

module "names" {
  source = "../names"

  product     = "platform"
  service     = "environment"
  environment = var.environment
  owner       = var.owner
}

module "network" {
  source = "../network"
  count  = var.network == null ? 1 : 0

  environment             = var.environment
  owner                   = var.owner
  availability_zones      = concat(var.availability_zones, var.leaving_zones)
  cidr_block              = var.cidr_block
  single_nat_gateway      = var.single_nat_gateway
  flow_log_retention_days = var.flow_log_retention_days
}

module "load_balancer_names" {
  source   = "../names"
  for_each = toset(["internal", "external"])

  product     = "platform"
  service     = each.key
  environment = var.environment
  owner       = var.owner
}

module "load_balancer" {
  source   = "../load_balancer"
  for_each = local.load_balancers

  identity            = module.load_balancer_names[each.key]
  internal            = each.key == "internal"
  vpc_id              = local.network.vpc_id
  subnet_ids          = each.value.subnet_ids
  certificate_arn     = each.value.certificate_arn
  vpc_cidr_blocks     = local.network.cidr_blocks
  access_logs_bucket  = var.access_logs_bucket
  deletion_protection = var.deletion_protection
}

# Services without a host of their own answer to {product}-{service}.{environment}.internal, inside the VPC only.
resource "aws_route53_zone" "this" {
  name    = "${var.environment}.internal"
  comment = "Services of ${var.environment} behind the internal load balancer"

  vpc {
    vpc_id = local.network.vpc_id
  }

  tags = module.load_balancer_names["internal"].tags
}

resource "aws_route53_record" "this" {
  zone_id = aws_route53_zone.this.zone_id
  name    = "*.${var.environment}.internal"
  type    = "A"

  alias {
    name                   = module.load_balancer["internal"].dns_name
    zone_id                = module.load_balancer["internal"].zone_id
    evaluate_target_health = false
  }
}

module "alarm_topics" {
  source = "../alarm_topics"

  environment      = var.environment
  owner            = var.owner
  warning_emails   = var.warning_emails
  emergency_emails = var.emergency_emails
}

module "ecs_cluster" {
  source = "../ecs_cluster"

  name               = coalesce(var.cluster, var.environment)
  environment        = var.environment
  owner              = var.owner
  availability_zones = var.availability_zones
  instance_types     = var.instance_types
  on_demand          = var.on_demand
  spot               = var.spot
  container_insights = var.container_insights

  network = {
    vpc_id             = local.network.vpc_id
    private_subnet_ids = local.network.private_subnet_ids
  }

  load_balancer_security_group_ids = { for name, load_balancer in module.load_balancer : name => load_balancer.security_group_id }
}

module "clock_names" {
  source = "../names"

  product     = "platform"
  service     = "clock"
  environment = var.environment
  owner       = var.owner
}

module "clock_widget" {
  source = "../clock_widget"

  identity = module.clock_names
}
