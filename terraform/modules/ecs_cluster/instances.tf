locals {
  # Families with AWS's own processors: m7g, c7gn, im4gn, t4g, and a1, but not g4dn.
  arm_pattern = "^(?:a1|[a-z]+[0-9]+g[a-z]*)\\."

  arm = can(regex(local.arm_pattern, var.instance_types[0]))

  image_parameter = "/aws/service/ecs/optimized-ami/amazon-linux-2023/${local.arm ? "arm64/" : ""}recommended/image_id"

  purchases = {
    on-demand = { name = local.names.on_demand_capacity_provider, size = var.on_demand, on_demand_percentage = 100 }
    spot      = { name = local.names.spot_capacity_provider, size = var.spot, on_demand_percentage = 0 }
  }

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html
  agent = {
    ECS_CLUSTER                       = aws_ecs_cluster.this.name
    ECS_ENABLE_SPOT_INSTANCE_DRAINING = "true"
    # For a container that names no stop timeout of its own: none may be killed before the slowest kind of service is done.
    ECS_CONTAINER_STOP_TIMEOUT = "${max([for case in values(local.contract.timing.cases) : case.stop_timeout]...)}s"
    # Tasks have roles of their own; with the instance's they could act for the whole cluster.
    ECS_AWSVPC_BLOCK_IMDS  = "true"
    ECS_DISABLE_PRIVILEGED = "true"
    # MiB for the system, the agent and Docker, which ECS would promise to tasks.
    ECS_RESERVED_MEMORY = "256"
  }
}

data "aws_ssm_parameter" "image" {
  count = var.image_id == null ? 1 : 0

  name = local.image_parameter
}

resource "aws_launch_template" "this" {
  name                   = local.names.launch_template
  image_id               = var.image_id != null ? var.image_id : data.aws_ssm_parameter.image[0].insecure_value
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.this.id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
    # A container in bridge mode is one hop further away than the agent, and gets no answer.
    http_put_response_hop_limit = 1
    http_protocol_ipv6          = "disabled"
    instance_metadata_tags      = "disabled"
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      volume_type           = "gp3"
      volume_size           = var.volume_size
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "network-interface", "volume"]

    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = var.name })
    }
  }

  user_data = base64encode(join("\n", concat(
    ["#!/bin/bash", "cat >> /etc/ecs/ecs.config <<'END'"],
    [for name, value in local.agent : "${name}=${value}"],
    ["END", ""],
  )))

  tags = local.tags
}

resource "aws_autoscaling_group" "this" {
  for_each = local.purchases

  name     = each.value.name
  min_size = each.value.size.min
  max_size = each.value.size.max

  vpc_zone_identifier = [for zone in var.availability_zones : local.subnet_ids[zone] if contains(keys(local.subnet_ids), zone)]

  # ECS takes the protection off an instance once no task is left on it.
  protect_from_scale_in = true
  # Else what is protected would stop a destroy for ever.
  force_delete = true
  # Draining lets the tasks go before the instance does.
  capacity_rebalance = each.key == "spot"

  mixed_instances_policy {
    instances_distribution {
      on_demand_allocation_strategy            = "prioritized"
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = each.value.on_demand_percentage
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.this.id
        version            = aws_launch_template.this.latest_version
      }

      dynamic "override" {
        for_each = var.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  # A new image or setting reaches the instances that are there already, a few at a time.
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-instance-draining.html
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage       = 90
      scale_in_protected_instances = "Refresh"
      skip_matching                = true
    }
  }

  dynamic "tag" {
    # ECS puts AmazonECSManaged there itself, and would be told to take it away again.
    for_each = merge(local.tags, { Name = var.name, AmazonECSManaged = "true" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    # ECS owns the number of instances.
    ignore_changes = [desired_capacity]

    precondition {
      condition     = length(setsubtract(var.availability_zones, keys(local.subnet_ids))) == 0
      error_message = "There is no private subnet in ${join(", ", setsubtract(var.availability_zones, keys(local.subnet_ids)))}: the network has ${join(", ", sort(keys(local.subnet_ids)))}."
    }
  }

  # An instance that may not register yet is lost.
  depends_on = [aws_iam_role_policy.ecs, aws_vpc_security_group_egress_rule.this]
}

resource "aws_ecs_capacity_provider" "this" {
  for_each = local.purchases

  name = each.value.name

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this[each.key].arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100 - var.headroom_percent
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = 10
      instance_warmup_period    = 300
    }
  }

  tags = local.tags
}
