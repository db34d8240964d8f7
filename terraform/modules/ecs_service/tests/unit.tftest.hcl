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
  ecs_cluster         = "prod"
  task_definition_arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-api-prod:1"
  min_count           = 2
  max_count           = 4
  launch_type         = "EC2"
  capacity_provider   = "on-demand-prod"
}

run "on_ec2" {
  variables {
    identity = run.names
  }

  assert {
    condition = (
      aws_ecs_service.this.deployment_circuit_breaker[0].enable
      && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
      && aws_ecs_service.this.enable_ecs_managed_tags
      && !aws_ecs_service.this.enable_execute_command
      && aws_ecs_service.this.propagate_tags == "SERVICE"
      && one(aws_ecs_service.this.capacity_provider_strategy).capacity_provider == "on-demand-prod"
      && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
      && aws_ecs_service.this.force_new_deployment
    )
    error_message = "a bad deployment rolls back, and tasks carry the tags"
  }
  assert {
    condition     = [for strategy in aws_ecs_service.this.ordered_placement_strategy : strategy.type] == ["spread", "binpack"]
    error_message = "tasks spread over availability zones first"
  }
  assert {
    condition     = output.scaling.resource_id == "service/prod/duolingo-api" && aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 4
    error_message = "scaling stays between the counts"
  }
  assert {
    condition     = { for name, measure in output.measures : name => measure.threshold } == { memory-high = 95, cpu-high = 85, aws-throttles = 10, restarts = 1 }
    error_message = "the memory alarm rings near 100 %, that of the CPU well above what scaling aims at"
  }
  assert {
    condition = output.measures["aws-throttles"].metrics == {
      throttles = { namespace = "baselib", name = "duolingo.api.aws.calls.throttles", statistic = "Sum", dimensions = { environment = "prod" } }
    }
    error_message = "throttles are counted by baselib"
  }
  assert {
    condition     = output.measures["restarts"].metrics.restarts.name == "duolingo.api.restarts" && output.measures["restarts"].missing_data == "notBreaching"
    error_message = "no restart is no alarm"
  }
  assert {
    condition     = length(aws_ecs_service.this.alarms) == 0
    error_message = "without alarms nothing rolls back by them"
  }
  assert {
    condition     = aws_ecs_service.this.tags == run.names.tags && aws_appautoscaling_target.this.tags == run.names.tags
    error_message = "everything is billed"
  }
}

run "rolled_back_by_alarms" {
  variables {
    identity             = run.names
    rollback_alarm_names = ["duolingo-api-prod-latency-p99", "duolingo-api-prod-errors-5xx"]
  }

  assert {
    condition = (
      aws_ecs_service.this.alarms[0].enable
      && aws_ecs_service.this.alarms[0].rollback
      && toset(aws_ecs_service.this.alarms[0].alarm_names) == toset(["duolingo-api-prod-errors-5xx", "duolingo-api-prod-latency-p99"])
    )
    error_message = "an alarm rolls a deployment back"
  }
}

run "the_same_number_always" {
  command = plan
  variables {
    identity  = run.names
    max_count = 2
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == aws_appautoscaling_target.this.max_capacity
    error_message = "least and greatest may be the same"
  }
}

run "on_spot" {
  variables {
    identity          = run.names
    launch_type       = "FARGATE"
    capacity_provider = "FARGATE_SPOT"
    spot              = true
    memory_percent    = 50
    network           = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    load_balancer = {
      target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/1"
      container_name   = "duolingo-api"
      container_port   = 5000
    }
  }

  assert {
    condition     = one(aws_ecs_service.this.capacity_provider_strategy).capacity_provider == "FARGATE_SPOT"
    error_message = "the capacity provider stands in place of the launch type"
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 50 && length(aws_ecs_service.this.ordered_placement_strategy) == 0
    error_message = "an interrupted task may be replaced at once"
  }
  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "no task has a public address"
  }
  assert {
    condition     = output.measures["memory-high"].threshold == 47
    error_message = "the memory alarm follows what the metric is measured against"
  }
}

run "refuses_fewer_than_the_least" {
  command = plan
  variables {
    identity  = run.names
    min_count = 0
    load_balancer = {
      target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/1"
      container_name   = "duolingo-api"
      container_port   = 5000
    }
  }
  expect_failures = [var.min_count]
}

run "refuses_more_than_the_greatest" {
  command = plan
  variables {
    identity  = run.names
    min_count = 5
  }
  expect_failures = [var.min_count]
}

run "refuses_a_thousand_and_one" {
  command = plan
  variables {
    identity  = run.names
    max_count = 1001
  }
  expect_failures = [var.max_count]
}

run "refuses_the_arn_of_a_cluster" {
  command = plan
  variables {
    identity    = run.names
    ecs_cluster = "arn:aws:ecs:us-east-1:123456789012:cluster/prod"
  }
  expect_failures = [var.ecs_cluster]
}
