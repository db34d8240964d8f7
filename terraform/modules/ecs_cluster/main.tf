data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  contract = module.names.contract
  tags     = module.names.tags

  names = { for kind, name in local.contract.cluster.names : kind => replace(name, "{cluster}", var.name) }

  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.id

  network = var.network != null ? var.network : {
    vpc_id             = module.look_up.values.vpc_id
    private_subnet_ids = { for subnet in data.aws_subnet.this : subnet.availability_zone => subnet.id }
  }
  subnet_ids = local.network.private_subnet_ids
}

module "names" {
  source = "../names"

  product     = "platform"
  service     = "cluster"
  environment = var.environment
  owner       = var.owner
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  # Not one by one: of a network made in the same run, only that it was given is known in time.
  given = var.network == null ? { vpc_id = null, private_subnet_ids = null } : {}
}

data "aws_subnet" "this" {
  for_each = toset([for id in split(",", lookup(module.look_up.values, "private_subnet_ids", "")) : id if id != ""])

  id = each.key
}

resource "aws_ecs_cluster" "this" {
  name = local.names.cluster

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }

  tags = local.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = concat([for provider in aws_ecs_capacity_provider.this : provider.name], ["FARGATE", "FARGATE_SPOT"])

  dynamic "default_capacity_provider_strategy" {
    for_each = {
      for purchase, strategy in {
        on-demand = { base = var.default_strategy.base, weight = var.default_strategy.on_demand_weight }
        spot      = { base = 0, weight = var.default_strategy.spot_weight }
      } : purchase => strategy if strategy.base > 0 || strategy.weight > 0
    }

    content {
      capacity_provider = aws_ecs_capacity_provider.this[default_capacity_provider_strategy.key].name
      base              = default_capacity_provider_strategy.value.base
      weight            = default_capacity_provider_strategy.value.weight
    }
  }
}

resource "aws_security_group" "this" {
  name        = local.names.security_group
  description = "Instances of the ECS cluster ${var.name}"
  vpc_id      = local.network.vpc_id

  tags = local.tags
}

# ECS gives a container in bridge mode a port out of these.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  for_each = var.load_balancer_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "Requests from load balancer ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 32768
  to_port                      = 65535

  tags = local.tags
}

resource "aws_vpc_security_group_egress_rule" "this" {
  security_group_id = aws_security_group.this.id
  description       = "AWS and what the tasks call"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"

  tags = local.tags
}
