mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = data.aws_ssm_parameter.image
    values = { insecure_value = "ami-0123456789abcdef0" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["vpc_id"]
    values = { insecure_value = "vpc-1" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["private_subnet_ids"]
    values = { insecure_value = "subnet-1,subnet-2" }
  }
  override_data {
    target = data.aws_subnet.this["subnet-1"]
    values = { availability_zone = "us-east-1a", id = "subnet-1" }
  }
  override_data {
    target = data.aws_subnet.this["subnet-2"]
    values = { availability_zone = "us-east-1b", id = "subnet-2" }
  }
}

variables {
  name               = "prod"
  environment        = "prod"
  owner              = "Platform Team"
  availability_zones = ["us-east-1a", "us-east-1b"]
}

run "defaults" {
  assert {
    condition     = output.name == "prod" && output.capacity_providers == { on-demand = "on-demand-prod", spot = "spot-prod" }
    error_message = "services find the capacity providers by the cluster's name"
  }
  assert {
    condition     = toset(aws_ecs_cluster_capacity_providers.this.capacity_providers) == toset(["on-demand-prod", "spot-prod", "FARGATE", "FARGATE_SPOT"])
    error_message = "tasks may run on both kinds of instances and on Fargate"
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.this : toset(group.vpc_zone_identifier) == toset(["subnet-1", "subnet-2"])])
    error_message = "instances are in the subnets of the zones"
  }
  assert {
    condition = {
      for purchase, group in aws_autoscaling_group.this :
      purchase => [group.min_size, group.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity]
    } == { on-demand = [2, 100], spot = [0, 0] }
    error_message = "the base is on demand, and spot comes on top"
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.this : group.protect_from_scale_in && group.force_delete])
    error_message = "ECS chooses which instance goes, and a destroy does not wait for it"
  }
  assert {
    condition = alltrue([
      for provider in aws_ecs_capacity_provider.this :
      provider.auto_scaling_group_provider[0].managed_draining == "ENABLED"
      && provider.auto_scaling_group_provider[0].managed_termination_protection == "ENABLED"
      && provider.auto_scaling_group_provider[0].managed_scaling[0].target_capacity == 90
    ])
    error_message = "a tenth is kept free, and tasks are drained before an instance goes"
  }
  assert {
    condition     = aws_launch_template.this.metadata_options[0].http_tokens == "required" && aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "no container gets at the instance's role"
  }
  assert {
    condition     = aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "disks are encrypted"
  }
  assert {
    condition = alltrue([
      for line in [
        "ECS_CLUSTER=prod", "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true", "ECS_CONTAINER_STOP_TIMEOUT=90s",
        "ECS_AWSVPC_BLOCK_IMDS=true", "ECS_DISABLE_PRIVILEGED=true",
      ] : contains(split("\n", base64decode(aws_launch_template.this.user_data)), line)
    ])
    error_message = "the agent joins the cluster, drains at a spot interruption and waits for the slowest stop"
  }
  assert {
    condition     = one(data.aws_ssm_parameter.image).name == "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    error_message = "the image is AWS's newest"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.load_balancer) == 0
    error_message = "nothing may come in that was not named"
  }
  assert {
    condition     = aws_ecs_cluster.this.tags == output.tags && output.tags.product == "platform" && output.tags.service == "cluster"
    error_message = "the cluster is billed to the platform"
  }
}

run "everything_given" {
  variables {
    instance_types     = ["m7g.large", "c7gn.large", "im4gn.large", "a1.large"]
    image_id           = "ami-00000000"
    container_insights = false
    session_manager    = true
    headroom_percent   = 0
    default_strategy   = { base = 0, on_demand_weight = 0, spot_weight = 1 }
    network = {
      vpc_id             = "vpc-2"
      private_subnet_ids = { us-east-1a = "subnet-3", us-east-1b = "subnet-4", us-east-1c = "subnet-5" }
    }
    load_balancer_security_group_ids = {
      internal = "sg-1"
    }
  }

  assert {
    condition     = toset(aws_autoscaling_group.this["spot"].vpc_zone_identifier) == toset(["subnet-3", "subnet-4"]) && length(data.aws_subnet.this) == 0
    error_message = "what is given is taken, and only in the zones of the list"
  }
  assert {
    condition     = aws_launch_template.this.image_id == "ami-00000000" && length(data.aws_ssm_parameter.image) == 0
    error_message = "an image can be stayed with"
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.load_balancer["internal"].from_port == 32768
      && aws_vpc_security_group_ingress_rule.load_balancer["internal"].to_port == 65535
      && aws_vpc_security_group_ingress_rule.load_balancer["internal"].referenced_security_group_id == "sg-1"
    )
    error_message = "a load balancer reaches the ports that ECS gives to containers"
  }
  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "disabled" && output.container_insights == false
    error_message = "Container Insights can be off"
  }
  assert {
    condition     = one(aws_ecs_cluster_capacity_providers.this.default_capacity_provider_strategy).capacity_provider == "spot-prod"
    error_message = "a provider without base and weight has no part in the default strategy"
  }
  assert {
    condition     = length(aws_iam_role_policy.session_manager) == 1
    error_message = "a shell can be allowed"
  }
}

run "arm" {
  command = plan
  variables {
    instance_types = ["t4g.large", "r8g.large"]
  }

  assert {
    condition     = one(data.aws_ssm_parameter.image).name == "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
    error_message = "the image is one for the processor"
  }
}

run "graphics" {
  command = plan
  variables {
    instance_types = ["g4dn.xlarge", "m6i.xlarge"]
  }

  assert {
    condition     = !strcontains(one(data.aws_ssm_parameter.image).name, "arm64")
    error_message = "the g of graphics is not that of Graviton"
  }
}

run "refuses_a_zone_without_a_subnet" {
  command = plan
  variables {
    availability_zones = ["us-east-1a", "us-east-1f"]
  }
  expect_failures = [aws_autoscaling_group.this]
}

run "refuses_an_upper_case_name" {
  command = plan
  variables {
    name = "Prod"
  }
  expect_failures = [var.name]
}

run "refuses_no_zone" {
  command = plan
  variables {
    availability_zones = []
  }
  expect_failures = [var.availability_zones]
}

run "refuses_what_is_no_type" {
  command = plan
  variables {
    instance_types = ["large"]
  }
  expect_failures = [var.instance_types]
}

run "refuses_two_architectures" {
  command = plan
  variables {
    instance_types = ["m7i.large", "m7g.large"]
  }
  expect_failures = [var.instance_types]
}

run "refuses_a_base_above_the_greatest_number" {
  command = plan
  variables {
    on_demand = { min = 3, max = 2 }
  }
  expect_failures = [var.on_demand]
}

run "refuses_a_spot_group_that_may_hold_none" {
  command = plan
  variables {
    spot = { min = 0, max = 0 }
  }
  expect_failures = [var.spot]
}

run "refuses_headroom_for_everything" {
  command = plan
  variables {
    headroom_percent = 100
  }
  expect_failures = [var.headroom_percent]
}

run "refuses_a_strategy_without_weight" {
  command = plan
  variables {
    default_strategy = { base = 1, on_demand_weight = 0, spot_weight = 0 }
  }
  expect_failures = [var.default_strategy]
}

run "refuses_what_is_no_image" {
  command = plan
  variables {
    image_id = "newest"
  }
  expect_failures = [var.image_id]
}

run "refuses_a_disk_smaller_than_the_image" {
  command = plan
  variables {
    volume_size = 8
  }
  expect_failures = [var.volume_size]
}
