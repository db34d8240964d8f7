locals {
  dimensions = {
    ClusterName = var.ecs_cluster
    ServiceName = var.identity.names.ecs_service
  }

  # What baselib sends, summed over everything but the environment.
  metrics = {
    for name in ["aws.calls.throttles", "restarts"] : name => {
      namespace  = var.identity.contract.metrics.namespace
      name       = "${var.identity.tags.product}.${var.identity.tags.service}.${name}"
      statistic  = "Sum"
      dimensions = { (var.identity.contract.metrics.dimension) = var.identity.tags.environment }
    }
  }
}

resource "aws_ecs_service" "this" {
  name            = var.identity.names.ecs_service
  cluster         = var.ecs_cluster
  task_definition = var.task_definition_arn
  desired_count   = var.min_count

  # ECS replaces an interrupted task only after it has stopped when it may not fall below 100 %.
  deployment_minimum_healthy_percent = var.spot ? 50 : 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  # As long as the container's own health check waits for the first start.
  health_check_grace_period_seconds = var.load_balancer == null ? null : 60

  enable_execute_command  = false
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "alarms" {
    for_each = length(var.rollback_alarm_names) > 0 ? [sort(var.rollback_alarm_names)] : []

    content {
      alarm_names = alarms.value
      enable      = true
      rollback    = true
    }
  }

  # Not left to the cluster's default, which the provider would want to deploy anew for.
  capacity_provider_strategy {
    capacity_provider = var.capacity_provider
    weight            = 1
  }
  # Else the provider would delete the service to move it to other capacity, and ECS wants a deployment for that too.
  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
  force_new_deployment = true

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
    # Its tasks would have another network mode and other targets.
    replace_triggered_by = [terraform_data.launch_type]
  }
}

resource "terraform_data" "launch_type" {
  input = var.launch_type
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.ecs_cluster}/${aws_ecs_service.this.name}"
  min_capacity       = var.min_count
  max_capacity       = var.max_count

  tags = var.identity.tags
}
