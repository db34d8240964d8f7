locals {
  port  = 443
  zones = var.instance_count > 1 ? 2 : 1
}

module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  subservice  = var.subservice
  environment = var.environment
  owner       = var.owner
}

module "network" {
  source = "../data_store_network"

  identity                   = module.names
  vpc_id                     = var.vpc_id
  private_subnet_ids         = var.private_subnet_ids
  port                       = local.port
  allowed_security_group_ids = var.allowed_security_group_ids
}

resource "aws_opensearch_domain" "this" {
  domain_name    = module.names.names.search_domain
  engine_version = var.engine_version

  cluster_config {
    instance_type          = var.instance_type
    instance_count         = var.instance_count
    zone_awareness_enabled = local.zones > 1

    dynamic "zone_awareness_config" {
      for_each = local.zones > 1 ? [local.zones] : []

      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.volume_size
  }

  vpc_options {
    # One subnet of each availability zone that the domain uses.
    subnet_ids         = slice(module.network.private_subnet_ids, 0, min(local.zones, length(module.network.private_subnet_ids)))
    security_group_ids = [module.network.security_group_id]
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  tags = module.names.tags

  lifecycle {
    precondition {
      condition     = length(module.network.private_subnet_ids) >= local.zones
      error_message = "${var.instance_count} nodes need subnets in ${local.zones} availability zones."
    }
  }
}
