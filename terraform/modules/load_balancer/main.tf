locals {
  contract = var.identity.contract
  names    = var.identity.names

  encrypted = var.certificate_arn != null

  vpc_cidr_blocks = var.vpc_cidr_blocks != null ? var.vpc_cidr_blocks : data.aws_vpc.this[*].cidr_block
  allowed_cidr_blocks = (
    var.allowed_cidr_blocks != null ? var.allowed_cidr_blocks :
    var.internal ? local.vpc_cidr_blocks :
    ["0.0.0.0/0"]
  )

  # With encryption the other one only tells where to go.
  ports   = local.encrypted ? [443, 80] : [80]
  callers = setproduct(local.ports, range(length(local.allowed_cidr_blocks)))
}

data "aws_vpc" "this" {
  count = var.vpc_cidr_blocks == null ? 1 : 0

  id = var.vpc_id
}

resource "aws_security_group" "this" {
  name        = local.names.load_balancer_security_group
  description = "Load balancer ${local.names.load_balancer}"
  vpc_id      = var.vpc_id

  tags = var.identity.tags
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  count = length(local.callers)

  security_group_id = aws_security_group.this.id
  description       = "Callers"
  cidr_ipv4         = local.allowed_cidr_blocks[local.callers[count.index][1]]
  ip_protocol       = "tcp"
  from_port         = local.callers[count.index][0]
  to_port           = local.callers[count.index][0]

  tags = var.identity.tags
}

resource "aws_vpc_security_group_egress_rule" "this" {
  count = length(local.vpc_cidr_blocks)

  security_group_id = aws_security_group.this.id
  description       = "Tasks, which listen on no privileged port"
  cidr_ipv4         = local.vpc_cidr_blocks[count.index]
  ip_protocol       = "tcp"
  from_port         = 1024
  to_port           = 65535

  tags = var.identity.tags
}

resource "aws_lb" "this" {
  name               = local.names.load_balancer
  load_balancer_type = "application"
  internal           = var.internal
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.this.id]

  # Below the keep-alive of the services, so that it is never they who close first.
  idle_timeout               = local.contract.timing.load_balancer_idle_seconds
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection != null ? var.deletion_protection : var.identity.tags.environment == "prod"

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]

    content {
      bucket  = access_logs.value
      prefix  = local.names.load_balancer
      enabled = true
    }
  }

  tags = var.identity.tags
}

resource "aws_lb_listener" "https" {
  count = local.encrypted ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = var.certificate_arn
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

  # What no service asked for.
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Not found"
      status_code  = "404"
    }
  }

  tags = var.identity.tags
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = local.encrypted ? "redirect" : "fixed-response"

    dynamic "redirect" {
      for_each = local.encrypted ? ["HTTPS"] : []

      content {
        protocol    = redirect.value
        port        = "443"
        status_code = "HTTP_301"
      }
    }

    dynamic "fixed_response" {
      for_each = local.encrypted ? [] : ["404"]

      content {
        content_type = "text/plain"
        message_body = "Not found"
        status_code  = fixed_response.value
      }
    }
  }

  tags = var.identity.tags
}
