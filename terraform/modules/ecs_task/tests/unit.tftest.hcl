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
  cpu             = 512
  memory          = 512
  ecs_cluster     = "prod"
  launch_type     = "EC2"
  service_version = "abc1234"
  timing          = { drain = 5, stop = 20, stop_timeout = 30 }
  ports           = [5000]
  kind_variables  = { PORT = "5000" }
}

run "on_ec2" {
  variables {
    identity              = run.names
    environment_variables = { LOG_LEVEL = "DEBUG" }
    secrets = {
      API_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf:key::"
      TOKEN   = "arn:aws:ssm:us-east-1:123456789012:parameter/token"
    }
    secrets_kms_key_arns = ["arn:aws:kms:us-east-1:123456789012:key/1"]
    policies             = { service = jsonencode({ Version = "2012-10-17", Statement = [] }) }
  }

  assert {
    condition = {
      for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value
      } == {
      AWS_REGION          = "us-east-1"
      DRAIN_SECONDS       = "5"
      LOG_LEVEL           = "DEBUG"
      MEMORY_LIMIT_MIB    = "512"
      PORT                = "5000"
      SERVICE_ENVIRONMENT = "prod"
      SERVICE_NAME        = "api"
      SERVICE_OWNER       = "Learning Team"
      SERVICE_PRODUCT     = "duolingo"
      SERVICE_RELEASE     = "abc1234"
      STATSD_DIALECT      = "dogstatsd"
      STATSD_HOST         = "metrics"
      STATSD_PORT         = "8125"
      STOP_SECONDS        = "20"
    }
    error_message = "the environment is the contract's, the kind's and the caller's"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].memoryReservation == 512
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].memory == 768
    )
    error_message = "the hard limit is half as much again"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/duolingo-api:abc1234"
    error_message = "the image comes from the service's repository"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.initProcessEnabled
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.tmpfs[0].containerPath == "/tmp"
    )
    error_message = "the container can write to /tmp only, and has no capability"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command == ["CMD", "baselib", "health"]
    error_message = "the health check is the contract's"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 30
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings[0].hostPort == 0
      && aws_ecs_task_definition.this.network_mode == "bridge"
      && aws_ecs_task_definition.this.cpu == null
    )
    error_message = "the host port is dynamic, and the stop timeout is the case's"
  }
  assert {
    condition = (
      output.memory_percent == 100 && output.capacity_provider == "on-demand-prod" && length(aws_security_group.this) == 0
    )
    error_message = "on EC2 memory is measured against the reservation, and the cluster's on-demand instances run the task"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action[0] => statement.Resource
      } == {
      "logs:CreateLogStream"            = ["arn:aws:logs:us-east-1:123456789012:log-group:/ecs/prod/duolingo-api:*"]
      "ecr:GetAuthorizationToken"       = ["*"]
      "ecr:BatchCheckLayerAvailability" = ["arn:aws:ecr:us-east-1:123456789012:repository/duolingo-api"]
      "secretsmanager:GetSecretValue"   = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf"]
      "ssm:GetParameters"               = ["arn:aws:ssm:us-east-1:123456789012:parameter/token"]
      "kms:Decrypt"                     = ["arn:aws:kms:us-east-1:123456789012:key/1"]
    }
    error_message = "the execution role reads its own image, logs and secrets, and nothing else"
  }
  assert {
    condition = !anytrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : [for action in statement.Action : strcontains(action, "*")]
    ]))
    error_message = "no action is a wildcard"
  }
  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/ecs/prod/duolingo-api"
      && aws_cloudwatch_log_group.this.retention_in_days == 30
      && keys(aws_iam_role_policy.task) == ["metrics", "service"]
    )
    error_message = "logs are kept for a time, and the task may do what the caller says"
  }
  assert {
    condition = alltrue([
      for tags in [aws_cloudwatch_log_group.this.tags, aws_ecs_task_definition.this.tags, aws_iam_role.task.tags, aws_iam_role.execution.tags] :
      tags == run.names.tags
    ])
    error_message = "everything is billed"
  }
}

run "metrics_on_ec2" {
  variables {
    identity = run.names
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].links == ["metrics"]
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].dependsOn == [{ condition = "START", containerName = "metrics" }]
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].name == "metrics"
    )
    error_message = "in bridge mode the agent is reached by a link, and stops after the service"
  }
  assert {
    condition = (
      !jsondecode(aws_ecs_task_definition.this.container_definitions)[1].essential
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].restartPolicy.enabled
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].readonlyRootFilesystem
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].user == "1000:1000"
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].linuxParameters.capabilities.drop == ["ALL"]
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].memory == 128
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].logConfiguration.options["awslogs-stream-prefix"] == "metrics"
    )
    error_message = "the agent has little power, little memory and a log stream of its own, and the task outlives it"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].cpu
      + jsondecode(aws_ecs_task_definition.this.container_definitions)[1].cpu
    ) == 512
    error_message = "service and agent share the CPU units"
  }
  assert {
    condition = (
      jsondecode({
        for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[1].environment : variable.name => variable.value
      }["CW_CONFIG_CONTENT"]).metrics.aggregation_dimensions == [["environment"]]
      && jsondecode({
        for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[1].environment : variable.name => variable.value
      }["CW_CONFIG_CONTENT"]).metrics.metrics_collected.statsd.metric_separator == "."
      && contains(jsondecode({
        for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[1].environment : variable.name => variable.value
      }["CW_CONFIG_CONTENT"]).metrics.metrics_collected.statsd.drop_original_metrics, "duolingo.api.workers")
    )
    error_message = "names stay as they are, are summed by environment, and are not paid for twice"
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.task["metrics"].policy).Statement == [{
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = "baselib" } }
    }]
    error_message = "the agent writes to one namespace"
  }
}

run "without_metrics" {
  variables {
    identity              = run.names
    metrics_agent_image   = null
    spot                  = true
    environment_variables = { STATSD_HOST = "10.0.0.1" }
  }

  assert {
    condition = (
      length(jsondecode(aws_ecs_task_definition.this.container_definitions)) == 1
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].links)
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].dependsOn)
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].cpu == 512
      && length(aws_iam_role_policy.task) == 0
    )
    error_message = "without the agent nothing of it is left"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "STATSD_HOST", value = "10.0.0.1" })
    error_message = "and the caller says where metrics go"
  }
  assert {
    condition     = output.capacity_provider == "spot-prod"
    error_message = "spot runs on the cluster's spot instances"
  }
}

run "the_smallest_on_fargate" {
  variables {
    identity    = run.names
    launch_type = "FARGATE"
    cpu         = 256
    memory      = 256
    vpc_id      = "vpc-1"
  }

  assert {
    condition = (
      aws_ecs_task_definition.this.memory == "512"
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].memory == 384
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[1].memory == 128
      && output.capacity_provider == "FARGATE"
    )
    error_message = "service and agent share the size of the task"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment, { name = "STATSD_HOST", value = "127.0.0.1" })
    error_message = "with one network interface the agent is on the loopback address"
  }
  assert {
    condition = (
      toset([for volume in aws_ecs_task_definition.this.volume : volume.name]) == toset(["metrics-etc", "metrics-var", "tmp"])
      && length(jsondecode(aws_ecs_task_definition.this.container_definitions)[1].mountPoints) == 2
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[1].user)
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].links)
    )
    error_message = "Fargate has volumes in place of tmpfs, which belong to root, and no links"
  }
}

run "a_capacity_provider_given" {
  command = plan
  variables {
    identity          = run.names
    capacity_provider = "gpu"
  }

  assert {
    condition     = output.capacity_provider == "gpu"
    error_message = "what is given is taken"
  }
}

run "on_fargate" {
  variables {
    identity        = run.names
    launch_type     = "FARGATE"
    cpu             = 256
    spot            = true
    vpc_id          = "vpc-1"
    health_check    = false
    service_version = "sha256:${sha256("x")}"
  }

  assert {
    condition     = aws_ecs_task_definition.this.memory == "1024" && aws_ecs_task_definition.this.cpu == "256"
    error_message = "the size is the smallest on offer that holds the hard limit"
  }
  assert {
    condition     = output.memory_percent == 56 && output.capacity_provider == "FARGATE_SPOT"
    error_message = "memory is measured against the size of the task"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints[0].containerPath == "/tmp"
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.tmpfs)
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings[0].hostPort == 5000
      && !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck)
    )
    error_message = "Fargate has a volume for /tmp and no tmpfs"
  }
  assert {
    condition     = endswith(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image, "/duolingo-api@sha256:${sha256("x")}")
    error_message = "a digest follows an @"
  }
}

run "an_image_from_elsewhere" {
  variables {
    identity         = run.names
    image_repository = "registry.example.com/team/api"
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "ecr:")
    error_message = "an image from elsewhere needs no permission of ECR"
  }
}

run "refuses_half_a_cpu_unit" {
  command = plan
  variables {
    identity = run.names
    cpu      = 512.5
  }
  expect_failures = [var.cpu]
}

run "refuses_a_cpu_that_fargate_lacks" {
  command = plan
  variables {
    identity    = run.names
    launch_type = "FARGATE"
    cpu         = 300
  }
  expect_failures = [var.cpu]
}

run "refuses_too_little_memory" {
  command = plan
  variables {
    identity = run.names
    memory   = 64
  }
  expect_failures = [var.memory]
}

run "refuses_memory_that_fargate_lacks_for_the_cpu" {
  command = plan
  variables {
    identity    = run.names
    launch_type = "FARGATE"
    cpu         = 256
    memory      = 2048
  }
  expect_failures = [aws_ecs_task_definition.this]
}

run "refuses_a_hard_limit_that_fargate_lacks" {
  command = plan
  variables {
    identity          = run.names
    launch_type       = "FARGATE"
    memory_hard_limit = 1500
  }
  expect_failures = [aws_ecs_task_definition.this]
}

run "refuses_a_hard_limit_below_memory" {
  command = plan
  variables {
    identity          = run.names
    memory_hard_limit = 512
  }
  expect_failures = [var.memory_hard_limit]
}

run "refuses_a_hard_limit_that_the_agent_uses_up" {
  command = plan
  variables {
    identity          = run.names
    launch_type       = "FARGATE"
    cpu               = 256
    memory            = 1000
    memory_hard_limit = 1024
  }
  expect_failures = [aws_ecs_task_definition.this]
}

run "refuses_an_unknown_launch_type" {
  command = plan
  variables {
    identity    = run.names
    launch_type = "EXTERNAL"
  }
  expect_failures = [var.launch_type]
}

run "refuses_latest" {
  command = plan
  variables {
    identity        = run.names
    service_version = "latest"
  }
  expect_failures = [var.service_version]
}

run "refuses_no_version" {
  command = plan
  variables {
    identity        = run.names
    service_version = ""
  }
  expect_failures = [var.service_version]
}

run "refuses_times_that_do_not_add_up" {
  command = plan
  variables {
    identity = run.names
    timing   = { drain = 10, stop = 20, stop_timeout = 30 }
  }
  expect_failures = [var.timing]
}

run "refuses_a_variable_of_the_platform" {
  command = plan
  variables {
    identity              = run.names
    environment_variables = { SERVICE_OWNER = "me" }
  }
  expect_failures = [var.environment_variables]
}

run "refuses_a_variable_of_the_kind" {
  command = plan
  variables {
    identity              = run.names
    environment_variables = { PORT = "80" }
  }
  expect_failures = [var.environment_variables]
}

run "refuses_a_secret_that_is_no_arn" {
  command = plan
  variables {
    identity = run.names
    secrets  = { API_KEY = "hunter2" }
  }
  expect_failures = [var.secrets]
}

run "refuses_a_secret_that_is_set_already" {
  command = plan
  variables {
    identity              = run.names
    environment_variables = { API_KEY = "x" }
    secrets               = { API_KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/key" }
  }
  expect_failures = [var.secrets]
}

run "refuses_a_variable_of_the_agent" {
  command = plan
  variables {
    identity              = run.names
    environment_variables = { STATSD_HOST = "10.0.0.1" }
  }
  expect_failures = [var.environment_variables]
}

run "refuses_a_secret_with_half_a_suffix" {
  command = plan
  variables {
    identity = run.names
    secrets  = { API_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:api-AbCdEf:key" }
  }
  expect_failures = [var.secrets]
}

run "refuses_a_parameter_without_a_name" {
  command = plan
  variables {
    identity = run.names
    secrets  = { API_KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/" }
  }
  expect_failures = [var.secrets]
}

run "refuses_a_policy_that_is_no_json" {
  command = plan
  variables {
    identity = run.names
    policies = { service = "s3:GetObject" }
  }
  expect_failures = [var.policies]
}

run "refuses_a_wildcard_in_an_action" {
  command = plan
  variables {
    identity = run.names
    policies = {
      service = jsonencode({
        Version   = "2012-10-17"
        Statement = { Effect = "Allow", Action = "s3:Get*", Resource = "arn:aws:s3:::bucket/*" }
      })
    }
  }
  expect_failures = [var.policies]
}

run "refuses_all_but_some_actions" {
  command = plan
  variables {
    identity = run.names
    policies = {
      service = jsonencode({
        Version   = "2012-10-17"
        Statement = [{ Effect = "Allow", NotAction = ["iam:CreateUser"], Resource = ["*"] }]
      })
    }
  }
  expect_failures = [var.policies]
}

run "allows_a_wildcard_that_denies" {
  command = plan
  variables {
    identity = run.names
    policies = {
      service = jsonencode({
        Version = "2012-10-17"
        Statement = [
          { Effect = "Deny", Action = "iam:*", Resource = "*" },
          { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::bucket/*" },
        ]
      })
    }
  }

  assert {
    condition     = aws_iam_role_policy.task["service"].name == "service"
    error_message = "what is named may be allowed"
  }
}

run "refuses_an_agent_without_a_version" {
  command = plan
  variables {
    identity            = run.names
    metrics_agent_image = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:latest"
  }
  expect_failures = [var.metrics_agent_image]
}

run "refuses_an_empty_value" {
  command = plan
  variables {
    identity              = run.names
    environment_variables = { LOG_LEVEL = null }
  }
  expect_failures = [var.environment_variables]
}

run "refuses_every_secret" {
  command = plan
  variables {
    identity = run.names
    secrets  = { API_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:*" }
  }
  expect_failures = [var.secrets]
}

run "refuses_every_parameter" {
  command = plan
  variables {
    identity = run.names
    secrets  = { API_KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/?" }
  }
  expect_failures = [var.secrets]
}

run "refuses_every_key" {
  command = plan
  variables {
    identity             = run.names
    secrets_kms_key_arns = ["*"]
  }
  expect_failures = [var.secrets_kms_key_arns]
}

run "refuses_the_alias_of_a_key" {
  command = plan
  variables {
    identity             = run.names
    secrets_kms_key_arns = ["arn:aws:kms:us-east-1:123456789012:alias/secrets"]
  }
  expect_failures = [var.secrets_kms_key_arns]
}

run "refuses_all_but_some_resources" {
  command = plan
  variables {
    identity = run.names
    policies = {
      service = jsonencode({
        Version   = "2012-10-17"
        Statement = { Effect = "Allow", Action = "s3:GetObject", NotResource = "arn:aws:s3:::secret/*" }
      })
    }
  }
  expect_failures = [var.policies]
}

run "refuses_fargate_for_instances" {
  command = plan
  variables {
    identity          = run.names
    capacity_provider = "FARGATE"
  }
  expect_failures = [var.capacity_provider]
}

run "refuses_instances_for_fargate" {
  command = plan
  variables {
    identity          = run.names
    launch_type       = "FARGATE"
    cpu               = 256
    memory            = 256
    capacity_provider = "on-demand-prod"
  }
  expect_failures = [var.capacity_provider]
}

run "refuses_spot_without_its_times" {
  command = plan
  variables {
    identity          = run.names
    launch_type       = "FARGATE"
    cpu               = 256
    memory            = 256
    capacity_provider = "FARGATE_SPOT"
  }
  expect_failures = [var.capacity_provider]
}

run "refuses_a_drain_below_nothing" {
  command = plan
  variables {
    identity = run.names
    timing   = { drain = -5, stop = 20, stop_timeout = 30 }
  }
  expect_failures = [var.timing]
}

run "refuses_half_a_second_of_stop_timeout" {
  command = plan
  variables {
    identity = run.names
    timing   = { drain = 0, stop = 20, stop_timeout = 30.5 }
  }
  expect_failures = [var.timing]
}

run "refuses_no_repository" {
  command = plan
  variables {
    identity         = run.names
    image_repository = ""
  }
  expect_failures = [var.image_repository]
}

run "refuses_a_repository_with_a_tag" {
  command = plan
  variables {
    identity         = run.names
    image_repository = "registry.example.com/team/api:1"
  }
  expect_failures = [var.image_repository]
}

run "refuses_logs_for_ever" {
  command = plan
  variables {
    identity           = run.names
    log_retention_days = 0
  }
  expect_failures = [var.log_retention_days]
}

run "an_agent_from_a_repository_of_its_own" {
  variables {
    identity            = run.names
    image_repository    = "registry.example.com:5000/team/api"
    metrics_agent_image = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/copies/agent:1.3@sha256:${sha256("x")}"
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action[0] => statement.Resource
      if startswith(statement.Action[0], "ecr:")
      } == {
      "ecr:GetAuthorizationToken"       = ["*"]
      "ecr:BatchCheckLayerAvailability" = ["arn:aws:ecr:eu-west-1:210987654321:repository/copies/agent"]
    }
    error_message = "the agent's image is read from its repository"
  }
}

run "an_image_by_another_address_of_ecr" {
  variables {
    identity         = run.names
    image_repository = "123456789012.dkr-ecr.us-east-1.on.aws/team/api"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.execution.policy, "arn:aws:ecr:us-east-1:123456789012:repository/team/api")
    error_message = "ECR has an address for both kinds of IP"
  }
}
