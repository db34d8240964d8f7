data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  port    = 443
  subnets = module.network.private_subnet_ids
  # Three where nodes and subnets allow it, because a domain in three availability zones outlives the loss of one.
  zones = var.instance_count == 1 ? 1 : var.instance_count % 3 == 0 && (length(local.subnets) >= 3 || var.instance_count % 2 != 0) ? 3 : 2
  arn   = "arn:${data.aws_partition.this.partition}:es:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:domain/${module.names.names.search_domain}"

  # Every verb of HTTP, and nothing that changes the domain itself.
  requests = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut"]

  logs = {
    application = "ES_APPLICATION_LOGS"
    index-slow  = "INDEX_SLOW_LOGS"
    search-slow = "SEARCH_SLOW_LOGS"
  }
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

# The environment lets OpenSearch write to all of these at once: an account has room for ten policies of that sort.
resource "aws_cloudwatch_log_group" "this" {
  for_each = local.logs

  name              = "${module.names.names.search_log_group}/${each.key}"
  retention_in_days = var.log_retention_days

  tags = module.names.tags
}

resource "aws_opensearch_domain" "this" {
  domain_name    = module.names.names.search_domain
  engine_version = var.engine_version

  cluster_config {
    instance_type            = var.instance_type
    instance_count           = var.instance_count
    dedicated_master_enabled = var.master_instance_type != null
    dedicated_master_type    = var.master_instance_type
    dedicated_master_count   = var.master_instance_type != null ? 3 : null
    zone_awareness_enabled   = local.zones > 1

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
    subnet_ids         = slice(local.subnets, 0, min(local.zones, length(local.subnets)))
    security_group_ids = [module.network.security_group_id]
  }

  # Callers of this account whose own policy lets them in: nobody else, and nobody without a signature.
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = local.requests
      Principal = { AWS = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root" }
      Resource  = "${local.arn}/*"
    }]
  })

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  dynamic "log_publishing_options" {
    for_each = local.logs

    content {
      log_type                 = log_publishing_options.value
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.this[log_publishing_options.key].arn
    }
  }

  # Updates of the service are made at night, node by node.
  software_update_options {
    auto_software_update_enabled = true
  }

  off_peak_window_options {
    enabled = true

    off_peak_window {
      window_start_time {
        hours   = var.off_peak_hour
        minutes = 0
      }
    }
  }

  tags = module.names.tags

  lifecycle {
    precondition {
      condition     = length(local.subnets) >= local.zones
      error_message = "${var.instance_count} nodes need subnets in ${local.zones} availability zones."
    }
  }
}
