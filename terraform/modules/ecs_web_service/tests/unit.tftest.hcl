mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["vpc_id"]
    values = { insecure_value = "vpc-1" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["private_subnet_ids"]
    values = { insecure_value = "subnet-1,subnet-2" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["internal_load_balancer_listener_arn"]
    values = { insecure_value = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/inside/0123456789abcdef/fedcba9876543210" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["external_load_balancer_listener_arn"]
    values = { insecure_value = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/outside/0123456789abcdef/fedcba9876543210" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["public_subnet_ids"]
    values = { insecure_value = "subnet-8,subnet-9" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["cluster_security_group_id"]
    values = { insecure_value = "sg-cluster" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["repositories_url"]
    values = { insecure_value = "https://github.com/duolingo/" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["sentry_url"]
    values = { insecure_value = "https://duolingo.sentry.io" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["clock_function_arn"]
    values = { insecure_value = "arn:aws:lambda:us-east-1:123456789012:function:platform-clock-prod" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["emergency_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:emergency" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["warning_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:warning" }
  }
}

variables {
  environment     = "prod"
  product         = "duolingo"
  service         = "api"
  owner           = "Learning Team"
  min_count       = 2
  max_count       = 4
  cpu             = 512
  memory          = 512
  ecs_cluster     = "prod"
  internal        = "true"
  service_version = "abc1234"
}

run "twelve_arguments" {
  assert {
    condition     = aws_lb_listener_rule.this.listener_arn == "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/inside/0123456789abcdef/fedcba9876543210"
    error_message = "an internal service is behind the internal load balancer"
  }
  assert {
    condition     = one([for condition in aws_lb_listener_rule.this.condition : one(condition.host_header).values if length(condition.host_header) > 0]) == toset(["duolingo-api.prod.internal"])
    error_message = "the host name is the service's by default"
  }
  assert {
    condition = (
      startswith(aws_lb_target_group.this.name, "duolingo-api-prod-")
      && length(aws_lb_target_group.this.name) <= 32
      && aws_lb_target_group.this.target_type == "instance"
      && aws_lb_target_group.this.port == 5000
      && aws_lb_target_group.this.deregistration_delay == "30"
      && aws_lb_target_group.this.vpc_id == "vpc-1"
    )
    error_message = "the target group is the contract's"
  }
  assert {
    condition = (
      aws_lb_target_group.this.health_check[0].path == "/healthz/ready"
      && aws_lb_target_group.this.health_check[0].interval == 5
      && aws_lb_target_group.this.health_check[0].unhealthy_threshold == 2
    )
    error_message = "the load balancer asks for readiness every 5 s and needs two refusals"
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "scaling aims at 60 % of CPU"
  }
  assert {
    condition     = aws_appautoscaling_policy.requests.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].resource_label == "app/inside/0123456789abcdef/targetgroup/mock/0123456789abcdef"
    error_message = "scaling counts the requests of this target group"
  }
  assert {
    condition = toset(keys(output.alarm_names)) == toset([
      "availability-burn-fast", "availability-burn-slow", "aws-throttles", "cpu-high", "errors-5xx", "latency-burn-fast",
      "latency-burn-slow", "latency-p99", "memory-high", "no-healthy-task", "restarts", "service-down",
    ])
    error_message = "a web service has every alarm of its kind"
  }
  assert {
    condition     = local.playbook_url == "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
    error_message = "the playbook is in the service's repository"
  }
  assert {
    condition     = output.load_balancer == null && length(aws_vpc_security_group_ingress_rule.this) == 0
    error_message = "the cluster admits the shared load balancer by itself"
  }
  assert {
    condition     = output.names.ecs_service == "duolingo-api" && output.service_name == "duolingo-api" && output.tags.owner == "Learning Team"
    error_message = "the service is named after product and service"
  }
  assert {
    condition     = output.security_group_id == null
    error_message = "tasks on EC2 share their host's security group"
  }
  assert {
    condition     = aws_lb_target_group.this.tags == output.tags && aws_lb_listener_rule.this.tags == output.tags
    error_message = "everything is billed"
  }
}

run "external_on_fargate_spot" {
  variables {
    internal       = false
    launch_type    = "FARGATE"
    spot           = true
    container_port = 8080
    host           = "api.example.com"
    path           = "/v1/*"
  }

  assert {
    condition     = strcontains(aws_lb_listener_rule.this.listener_arn, "listener/app/outside/")
    error_message = "an external service is behind the external load balancer"
  }
  assert {
    condition     = length(aws_lb_listener_rule.this.condition) == 2
    error_message = "host and path must both match"
  }
  assert {
    condition     = aws_lb_target_group.this.target_type == "ip" && aws_lb_target_group.this.deregistration_delay == "20"
    error_message = "on Fargate targets are addresses, and spot has its own delay"
  }
  assert {
    condition = (
      one(aws_vpc_security_group_ingress_rule.this).referenced_security_group_id == "sg-0123456789abcdef0"
      && one(aws_vpc_security_group_ingress_rule.this).from_port == 8080
    )
    error_message = "only the load balancer reaches the tasks"
  }
}

run "everything_given" {
  variables {
    vpc_id                           = "vpc-2"
    private_subnet_ids               = ["subnet-3"]
    emergency_topic_arn              = "arn:aws:sns:us-east-1:123456789012:e"
    warning_topic_arn                = "arn:aws:sns:us-east-1:123456789012:w"
    load_balancer_listener_arn       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mine/0123456789abcdef/fedcba9876543210"
    load_balancer_security_group_ids = ["sg-1", "sg-2"]
    listener_rule_priority           = 7
    playbook_url                     = "https://wiki.example.com/playbook"
    launch_type                      = "FARGATE"
    task_policy_json                 = jsonencode({ Version = "2012-10-17", Statement = [] })
  }

  assert {
    condition     = aws_lb_target_group.this.vpc_id == "vpc-2" && strcontains(aws_lb_listener_rule.this.listener_arn, "/mine/")
    error_message = "what is given is taken"
  }
  assert {
    condition     = length(data.aws_lb.this) == 0 && length(aws_vpc_security_group_ingress_rule.this) == 2
    error_message = "nothing is read that was given"
  }
  assert {
    condition     = aws_lb_listener_rule.this.priority == 7 && local.playbook_url == "https://wiki.example.com/playbook"
    error_message = "the rule's place and the playbook are the caller's"
  }
}

run "a_load_balancer_of_its_own" {
  variables {
    load_balancer = "own"
  }

  assert {
    condition     = startswith(aws_lb_listener_rule.this.listener_arn, "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mock/") && local.load_balancer == "app/mock/0123456789abcdef"
    error_message = "the rule is on the service's own listener, and so are the metrics"
  }
  assert {
    condition     = one(one(one(aws_lb_listener_rule.this.condition).path_pattern).values) == "/*"
    error_message = "its own load balancer sends it everything"
  }
  assert {
    condition = (
      one(aws_vpc_security_group_ingress_rule.this).security_group_id == "sg-cluster"
      && one(aws_vpc_security_group_ingress_rule.this).from_port == 32768
      && one(aws_vpc_security_group_ingress_rule.this).to_port == 65535
    )
    error_message = "the cluster's instances admit it on the ports that they choose themselves"
  }
  assert {
    condition     = output.load_balancer != null && length(module.load_balancer) == 1
    error_message = "a record in DNS can be made for it"
  }
}

run "an_external_load_balancer_of_its_own_on_fargate" {
  variables {
    load_balancer      = "own"
    internal           = false
    launch_type        = "FARGATE"
    host               = "API.Example.com"
    certificate_arn    = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    access_logs_bucket = "logs"
  }

  assert {
    condition     = one([for condition in aws_lb_listener_rule.this.condition : one(condition.host_header).values if length(condition.host_header) > 0]) == toset(["api.example.com"])
    error_message = "a host name has no capitals"
  }
  assert {
    condition     = one(aws_vpc_security_group_ingress_rule.this).from_port == 5000 && length(data.aws_lb.this) == 0
    error_message = "only its own load balancer reaches the tasks"
  }
}

run "times_of_its_own" {
  variables {
    timing = { stop = 80, stop_timeout = 90, deregistration_delay = 100 }
  }

  assert {
    condition     = aws_lb_target_group.this.deregistration_delay == "100" && local.timing == { drain = 5, stop = 80, stop_timeout = 90, deregistration_delay = 100 }
    error_message = "what is not given is the contract's"
  }
}

run "names_at_their_limits" {
  command = plan
  variables {
    product     = "p2"
    service     = "a-service-of-17ch"
    environment = "staging"
  }

  assert {
    condition     = length(aws_lb_target_group.this.name) == 32
    error_message = "the longest names fit"
  }
}

run "refuses_requests_cut_off_before_their_time" {
  command = plan
  variables {
    timing = { deregistration_delay = 10 }
  }
  expect_failures = [aws_lb_target_group.this]
}

run "refuses_more_than_the_notice_of_an_interruption" {
  command = plan
  variables {
    spot   = true
    timing = { deregistration_delay = 60 }
  }
  expect_failures = [aws_lb_target_group.this]
}

run "refuses_a_drain_on_spot_that_nobody_notices" {
  command = plan
  variables {
    spot   = true
    timing = { drain = 5 }
  }
  expect_failures = [aws_lb_target_group.this]
}

run "refuses_an_unknown_load_balancer" {
  command = plan
  variables {
    load_balancer = "mine"
  }
  expect_failures = [var.load_balancer]
}

run "refuses_the_listener_of_another" {
  command = plan
  variables {
    load_balancer              = "own"
    load_balancer_listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/mine/0123456789abcdef/fedcba9876543210"
  }
  expect_failures = [var.load_balancer]
}

run "refuses_a_certificate_for_the_shared_one" {
  command = plan
  variables {
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_the_internet_without_a_certificate" {
  command = plan
  variables {
    load_balancer = "own"
    internal      = false
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_logs_of_the_shared_one" {
  command = plan
  variables {
    access_logs_bucket = "logs"
  }
  expect_failures = [var.access_logs_bucket]
}

run "refuses_a_place_before_the_first" {
  command = plan
  variables {
    listener_rule_priority = 0
  }
  expect_failures = [var.listener_rule_priority]
}

run "refuses_an_empty_host" {
  command = plan
  variables {
    host = ""
  }
  expect_failures = [var.host]
}

run "warns_of_an_external_service_that_nobody_finds" {
  command = plan
  variables {
    internal = false
  }
  expect_failures = [check.reachable]
}

run "refuses_a_privileged_port" {
  command = plan
  variables {
    container_port = 80
  }
  expect_failures = [var.container_port]
}

run "refuses_a_host_without_a_domain" {
  command = plan
  variables {
    host = "api"
  }
  expect_failures = [var.host]
}

run "refuses_a_relative_path" {
  command = plan
  variables {
    path = "users"
  }
  expect_failures = [var.path]
}

run "refuses_no_requests" {
  command = plan
  variables {
    requests_per_target = 0
  }
  expect_failures = [var.requests_per_target]
}

run "refuses_no_latency" {
  command = plan
  variables {
    latency_threshold_seconds = 0
  }
  expect_failures = [var.latency_threshold_seconds]
}

run "refuses_the_arn_of_a_load_balancer" {
  command = plan
  variables {
    load_balancer_listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/mine/0123456789abcdef"
  }
  expect_failures = [var.load_balancer_listener_arn]
}

run "another_port" {
  command = plan
  variables {
    container_port = 8080
  }

  assert {
    condition     = aws_lb_target_group.this.port == 5000 && endswith(aws_lb_target_group.this.name, substr(sha256("vpc-1 EC2"), 0, 3))
    error_message = "another port needs no other target group"
  }
}

run "refuses_tasks_that_nobody_reaches" {
  command = plan
  variables {
    launch_type                      = "FARGATE"
    load_balancer_security_group_ids = []
  }
  expect_failures = [var.load_balancer_security_group_ids]
}
