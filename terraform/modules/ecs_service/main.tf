locals {
  dimensions = {
    ClusterName = var.ecs_cluster
    ServiceName = var.identity.names.ecs_service
  }
}

resource "aws_ecs_service" "this" {
  name            = var.identity.names.ecs_service
  cluster         = var.ecs_cluster
  task_definition = var.task_definition_arn
  desired_count   = var.min_count
  launch_type     = var.capacity_provider == null ? var.launch_type : null

  # ECS replaces an interrupted task only after it has stopped when it may not fall below 100 %.
  deployment_minimum_healthy_percent = var.spot ? 50 : 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = var.load_balancer == null ? null : 60

  enable_execute_command  = false
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider[*]

    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  dynamic "ordered_placement_strategy" {
    for_each = var.launch_type == "EC2" ? [["spread", "attribute:ecs.availability-zone"], ["binpack", "memory"]] : []

    content {
      type  = ordered_placement_strategy.value[0]
      field = ordered_placement_strategy.value[1]
    }
  }

  dynamic "network_configuration" {
    for_each = var.network[*]

    content {
      subnets          = network_configuration.value.subnet_ids
      security_groups  = network_configuration.value.security_group_ids
      assign_public_ip = false
    }
  }

  dynamic "load_balancer" {
    for_each = var.load_balancer[*]

    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = load_balancer.value.container_name
      container_port   = load_balancer.value.container_port
    }
  }

  tags = var.identity.tags

  lifecycle {
    # Automatic scaling owns the number of tasks.
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.ecs_cluster}/${aws_ecs_service.this.name}"
  min_capacity       = var.min_count
  max_capacity       = var.max_count

  tags = var.identity.tags
}
