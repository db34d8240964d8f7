locals {
  contract = module.names.contract
  fargate  = var.launch_type == "FARGATE"
  own      = var.load_balancer == "own"
  port     = coalesce(var.container_port, local.contract.ports.web)
  listener = "${var.internal ? "internal" : "external"}_load_balancer_listener_arn"
  subnets  = "${var.internal ? "private" : "public"}_subnet_ids"
  found    = module.look_up.values

  # Not by `try`, to which a list with a subnet of the same run is as good as none.
  given_subnets = {
    private = var.private_subnet_ids == null ? null : join(",", var.private_subnet_ids)
    public  = var.public_subnet_ids == null ? null : join(",", var.public_subnet_ids)
  }

  case   = local.contract.timing.cases[var.spot ? "web_on_spot" : "web_on_demand"]
  timing = { for name, seconds in local.case : name => var.timing == null ? seconds : coalesce(var.timing[name], seconds) }

  listener_arn      = local.own ? module.load_balancer[0].listener_arn : local.found[local.listener]
  load_balancer_arn = replace(replace(local.listener_arn, ":listener/", ":loadbalancer/"), "/[/][0-9a-f]+$/", "")
  load_balancer     = element(split(":loadbalancer/", local.load_balancer_arn), 1)

  # A load balancer of its own sends it everything.
  host = var.host != null ? lower(var.host) : (
    var.path == null && !local.own ? "${module.names.names.ecs_service}.${var.environment}.internal" : null
  )
  path = var.path == null && local.host == null ? "/*" : var.path

  load_balancer_security_group_ids = (
    local.own ? [module.load_balancer[0].security_group_id] :
    !local.fargate ? [] :
    var.load_balancer_security_group_ids != null ? distinct(var.load_balancer_security_group_ids) :
    sort(one(data.aws_lb.this[*].security_groups))
  )

  # A host of Linux chooses dynamic ports from here.
  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
  ephemeral_ports = [32768, 65535]

  playbook_url = var.playbook_url != null ? var.playbook_url : (
    "${trimsuffix(local.found.repositories_url, "/")}/${module.names.names.ecs_service}/blob/main/docs/playbook.md"
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
      emergency_topic_arn = var.emergency_topic_arn
      warning_topic_arn   = var.warning_topic_arn
    },
    local.own ? {} : { (local.listener) = var.load_balancer_listener_arn },
    local.own ? { (local.subnets) = var.internal ? local.given_subnets.private : local.given_subnets.public } : {},
    local.fargate ? { private_subnet_ids = local.given_subnets.private } : {},
    local.own && !local.fargate ? { cluster_security_group_id = var.cluster_security_group_id } : {},
    local.monitoring_look_up,
  )
}

data "aws_lb" "this" {
  count = local.fargate && !local.own && var.load_balancer_security_group_ids == null ? 1 : 0

  arn = local.load_balancer_arn
}

module "load_balancer" {
  source = "../load_balancer"
  count  = local.own ? 1 : 0

  identity            = module.names
  internal            = var.internal
  vpc_id              = local.found.vpc_id
  subnet_ids          = split(",", local.found[local.subnets])
  certificate_arn     = var.certificate_arn
  access_logs_bucket  = var.access_logs_bucket
  deletion_protection = var.deletion_protection
}

module "task" {
  source = "../ecs_task"

  identity              = module.names
  ecs_cluster           = var.ecs_cluster
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
  metrics_agent_image   = var.metrics_agent_image
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  count = length(local.load_balancer_security_group_ids)

  # On EC2 the cluster's instances admit the shared load balancers already.
  security_group_id            = local.fargate ? module.task.security_group_id : local.found.cluster_security_group_id
  description                  = "Requests from the load balancer"
  referenced_security_group_id = local.load_balancer_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = local.fargate ? local.port : local.ephemeral_ports[0]
  to_port                      = local.fargate ? local.port : local.ephemeral_ports[1]

  tags = module.names.tags
}

resource "aws_lb_target_group" "this" {
  # A replacement exists beside its predecessor for a moment, so what forces one is part of the name.
  name = join("-", [
    module.names.names.target_group,
    substr(sha256(join(" ", [local.found.vpc_id, var.launch_type])), 0, 3),
  ])
  vpc_id      = local.found.vpc_id
  target_type = local.fargate ? "ip" : "instance"
  # ECS registers each task with its own port; this one is never used, and another one would replace the target group.
  port                          = local.contract.ports.web
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

    precondition {
      condition     = var.spot || local.timing.deregistration_delay >= local.timing.drain + local.timing.stop
      error_message = "The load balancer waits ${local.timing.deregistration_delay} s for requests in flight (deregistration_delay), less than the ${local.timing.drain} s of drain and ${local.timing.stop} s of stop in which the service answers them."
    }

    precondition {
      condition     = !var.spot || local.timing.deregistration_delay + local.timing.stop_timeout <= 120
      error_message = "On spot, deregistration_delay and stop_timeout together never exceed the 120 s between notice and interruption; here they are ${local.timing.deregistration_delay + local.timing.stop_timeout} s."
    }

    precondition {
      condition     = var.spot ? local.timing.drain >= 10 : true
      error_message = "On spot the load balancer learns of a stop from two failed health checks 5 s apart, so the drain takes at least 10 s."
    }
  }
}

resource "aws_lb_listener_rule" "this" {
  listener_arn = local.listener_arn
  priority     = var.listener_rule_priority

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
    for_each = local.path[*]

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

  identity             = module.names
  ecs_cluster          = var.ecs_cluster
  task_definition_arn  = module.task.task_definition_arn
  min_count            = var.min_count
  max_count            = var.max_count
  launch_type          = var.launch_type
  capacity_provider    = module.task.capacity_provider
  spot                 = var.spot
  memory_percent       = module.task.memory_percent
  rollback_alarm_names = module.alarms.rollback_names

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

  # Else the load balancer would not reach the first tasks, nor the last.
  depends_on = [aws_vpc_security_group_ingress_rule.this]
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
    condition     = local.own || var.internal || var.host != null || var.path != null
    error_message = "An external service without host or path answers only to ${module.names.names.ecs_service}.${var.environment}.internal, which the internet does not know: give it a host."
  }
}
