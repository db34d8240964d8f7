mock_provider "aws" {
  source = "../../testing"
}

run "names" {
  command = plan

  variables {
    product     = "duolingo"
    service     = "api"
    environment = "prod"
    owner       = "Learning Team"
  }

  module {
    source = "../names"
  }
}

variables {
  internal   = true
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-1", "subnet-2"]
}

run "inside" {
  variables {
    identity        = run.names
    vpc_cidr_blocks = ["10.0.0.0/16", "10.1.0.0/16"]
  }

  assert {
    condition = (
      aws_lb.this.name == "duolingo-api-prod"
      && aws_lb.this.internal
      && aws_lb.this.drop_invalid_header_fields
      && aws_lb.this.idle_timeout == 60
      && aws_lb.this.enable_deletion_protection
    )
    error_message = "the load balancer is safe, and idles less long than a service keeps connections"
  }
  assert {
    condition = (
      length(aws_lb_listener.https) == 0
      && aws_lb_listener.http.port == 80
      && one(aws_lb_listener.http.default_action).type == "fixed-response"
      && one(one(aws_lb_listener.http.default_action).fixed_response).status_code == "404"
      && output.listener_arn == aws_lb_listener.http.arn
    )
    error_message = "inside, HTTP is answered, and what nobody asked for is not found"
  }
  assert {
    condition = (
      [for rule in aws_vpc_security_group_ingress_rule.this : "${rule.cidr_ipv4}:${rule.from_port}"] == ["10.0.0.0/16:80", "10.1.0.0/16:80"]
      && [for rule in aws_vpc_security_group_egress_rule.this : "${rule.cidr_ipv4}:${rule.from_port}-${rule.to_port}"] == ["10.0.0.0/16:1024-65535", "10.1.0.0/16:1024-65535"]
    )
    error_message = "only the VPC calls, and only the VPC is called"
  }
  assert {
    condition     = length(data.aws_vpc.this) == 0 && length(aws_lb.this.access_logs) == 0
    error_message = "nothing is read that was given, and nothing is logged unasked"
  }
  assert {
    condition = alltrue([
      for tags in [aws_lb.this.tags, aws_security_group.this.tags, aws_lb_listener.http.tags, aws_vpc_security_group_ingress_rule.this[0].tags, aws_vpc_security_group_egress_rule.this[0].tags] :
      tags == run.names.tags
    ])
    error_message = "everything is billed"
  }
}

run "outside" {
  variables {
    identity            = run.names
    internal            = false
    certificate_arn     = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    access_logs_bucket  = "logs"
    deletion_protection = false
  }

  assert {
    condition = (
      aws_lb_listener.https[0].port == 443
      && startswith(aws_lb_listener.https[0].ssl_policy, "ELBSecurityPolicy-TLS13-1-2-")
      && one(aws_lb_listener.https[0].default_action).type == "fixed-response"
      && output.listener_arn == aws_lb_listener.https[0].arn
    )
    error_message = "outside, HTTPS is spoken"
  }
  assert {
    condition     = one(aws_lb_listener.http.default_action).type == "redirect" && one(one(aws_lb_listener.http.default_action).redirect).protocol == "HTTPS"
    error_message = "and HTTP says where to go"
  }
  assert {
    condition = (
      [for rule in aws_vpc_security_group_ingress_rule.this : "${rule.cidr_ipv4}:${rule.from_port}"] == ["0.0.0.0/0:443", "0.0.0.0/0:80"]
      && [for rule in aws_vpc_security_group_egress_rule.this : rule.cidr_ipv4] == ["10.0.0.0/16"]
    )
    error_message = "everybody calls, and the VPC's range is read"
  }
  assert {
    condition     = one(aws_lb.this.access_logs).bucket == "logs" && one(aws_lb.this.access_logs).enabled && !aws_lb.this.enable_deletion_protection
    error_message = "what is asked for is done"
  }
}

run "inside_with_a_certificate_for_some" {
  variables {
    identity            = run.names
    certificate_arn     = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    allowed_cidr_blocks = ["10.9.0.0/24"]
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.this : "${rule.cidr_ipv4}:${rule.from_port}"] == ["10.9.0.0/24:443", "10.9.0.0/24:80"]
    error_message = "only those who are named call"
  }
}

run "refuses_http_for_the_internet" {
  command = plan
  variables {
    identity = run.names
    internal = false
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_a_certificate_that_is_no_arn" {
  command = plan
  variables {
    identity        = run.names
    certificate_arn = ""
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_one_subnet_twice" {
  command = plan
  variables {
    identity   = run.names
    subnet_ids = ["subnet-1", "subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}

run "refuses_a_range_that_is_an_address" {
  command = plan
  variables {
    identity        = run.names
    vpc_cidr_blocks = ["10.0.0.1"]
  }
  expect_failures = [var.vpc_cidr_blocks]
}

run "refuses_that_nobody_may_call" {
  command = plan
  variables {
    identity            = run.names
    allowed_cidr_blocks = []
  }
  expect_failures = [var.allowed_cidr_blocks]
}
