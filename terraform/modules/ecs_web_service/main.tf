locals {
  contract = module.names.contract
  fargate  = var.launch_type == "FARGATE"
  port     = coalesce(var.container_port, local.contract.ports.web)
  timing   = local.contract.timing.cases[var.spot ? "web_on_spot" : "web_on_demand"]
  listener = "${var.internal ? "internal" : "external"}_load_balancer_listener_arn"
  found    = module.look_up.values

  listener_arn      = local.found[local.listener]
  load_balancer_arn = replace(replace(local.listener_arn, ":listener/", ":loadbalancer/"), "/[/][0-9a-f]+$/", "")
  load_balancer     = element(split(":loadbalancer/", local.load_balancer_arn), 1)

  host = var.host == null && var.path == null ? "${module.names.names.ecs_service}.${var.environment}.internal" : var.host

  load_balancer_security_group_ids = (
    !local.fargate ? [] :
    var.load_balancer_security_group_ids != null ? var.load_balancer_security_group_ids :
    sort(one(data.aws_lb.this[*].security_groups))
  )
}

module "names" {
  source = "../names"

  product     = var.product
  service     = var.service
  environment = var.environment
  owner       = var.owner
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  given = merge(
    {
      vpc_id              = var.vpc_id
      (local.listener)    = var.load_balancer_listener_arn
      emergency_topic_arn = var.emergency_topic_arn
      warning_topic_arn   = var.warning_topic_arn
    },
    local.fargate ? { private_subnet_ids = try(join(",", var.private_subnet_ids), null) } : {},
  )
}

data "aws_lb" "this" {
  count = local.fargate && var.load_balancer_security_group_ids == null ? 1 : 0

  arn = local.load_balancer_arn
}

module "task" {
  source = "../ecs_task"

  identity              = module.names
  cpu                   = var.cpu
  memory                = var.memory
  memory_hard_limit     = var.memory_hard_limit
  launch_type           = var.launch_type
  capacity_provider     = var.capacity_provider
  spot                  = var.spot
  service_version       = var.service_version
  image_repository      = var.image_repository
  timing                = local.timing
  ports                 = [local.port]
  kind_variables        = { PORT = tostring(local.port) }
  environment_variables = var.environment_variables
  secrets               = var.secrets
  secrets_kms_key_arns  = var.secrets_kms_key_arns
  policies              = var.task_policy_json == null ? {} : { service = var.task_policy_json }
  vpc_id                = local.found.vpc_id
  log_retention_days    = var.log_retention_days
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  count = length(local.load_balancer_security_group_ids)

  security_group_id            = module.task.security_group_id
  description                  = "Requests from the load balancer"
  referenced_security_group_id = local.load_balancer_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = module.names.tags
}

resource "aws_lb_target_group" "this" {
  # A replacement exists beside its predecessor for a moment, so what forces one is part of the name.
  name = join("-", [
    module.names.names.target_group,
    substr(sha256(join(" ", [local.found.vpc_id, var.launch_type, local.port])), 0, 3),
  ])
  vpc_id                        = local.found.vpc_id
  target_type                   = local.fargate ? "ip" : "instance"
  port                          = local.port
  protocol                      = "HTTP"
  deregistration_delay          = local.timing.deregistration_delay
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path                = local.contract.endpoints.ready
    matcher             = "200"
    interval            = 5
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  tags = module.names.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener_rule" "this" {
  listener_arn = local.listener_arn

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  dynamic "condition" {
    for_each = local.host[*]

    content {
      host_header {
        values = [condition.value]
      }
    }
  }

  dynamic "condition" {
    for_each = var.path[*]

    content {
      path_pattern {
        values = [condition.value]
      }
    }
  }

  tags = module.names.tags
}

module "service" {
  source = "../ecs_service"

  identity            = module.names
  ecs_cluster         = var.ecs_cluster
  task_definition_arn = module.task.task_definition_arn
  least_count         = 1
  min_count           = var.min_count
  max_count           = var.max_count
  launch_type         = var.launch_type
  capacity_provider   = module.task.capacity_provider
  spot                = var.spot
  memory_percent      = module.task.memory_percent

  network = local.fargate ? {
    subnet_ids         = split(",", local.found.private_subnet_ids)
    security_group_ids = [module.task.security_group_id]
  } : null

  load_balancer = {
    # By way of the rule: ECS refuses a target group that no load balancer uses yet.
    target_group_arn = one(aws_lb_listener_rule.this.action).target_group_arn
    container_name   = module.task.container_name
    container_port   = local.port
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = module.service.scaling.service_namespace
  scalable_dimension = module.service.scaling.scalable_dimension
  resource_id        = module.service.scaling.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  name               = "requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = module.service.scaling.service_namespace
  scalable_dimension = module.service.scaling.scalable_dimension
  resource_id        = module.service.scaling.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.requests_per_target
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${local.load_balancer}/${aws_lb_target_group.this.arn_suffix}"
    }
  }
}

check "reachable" {
  assert {
    condition     = var.internal || var.host != null || var.path != null
    error_message = "An external service without host or path answers only to ${module.names.names.ecs_service}.${var.environment}.internal, which the internet does not know: give it a host."
  }
}
