mock_provider "aws" {
  source = "../../testing"
}

variables {
  place = {
    partition  = "aws"
    region     = "us-east-1"
    account_id = "123456789012"
  }
  schedule    = "cron(0 3 * * ? *)"
  ecs_cluster = "prod"
  task = {
    definition_arn    = "arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-report-prod:7"
    container_name    = "duolingo-report"
    role_arns         = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]
    capacity_provider = "on-demand-prod"
    launch_type       = "EC2"
  }
}

run "identity" {
  module {
    source = "../names"
  }
  variables {
    product     = "duolingo"
    service     = "report"
    environment = "prod"
    owner       = "Learning Team"
  }
}

run "on_ec2" {
  variables {
    identity = run.identity
  }

  assert {
    condition = (
      aws_scheduler_schedule.this.name == "duolingo-report-prod"
      && aws_scheduler_schedule.this.group_name == "duolingo-report-prod"
      && aws_scheduler_schedule.this.schedule_expression == "cron(0 3 * * ? *)"
      && aws_scheduler_schedule.this.target[0].input == "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"
      && jsondecode(aws_scheduler_schedule.this.target[0].input).scheduled_time == "<aws.scheduler.scheduled-time>"
    )
    error_message = "the schedule passes the scheduled time, in the form that the scheduler looks for"
  }
  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States.Run.Parameters == {
      Cluster                  = "arn:aws:ecs:us-east-1:123456789012:cluster/prod"
      TaskDefinition           = "arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-report-prod:7"
      PropagateTags            = "TASK_DEFINITION"
      CapacityProviderStrategy = [{ CapacityProvider = "on-demand-prod", Weight = 1 }]
      Overrides = {
        ContainerOverrides = [{ Name = "duolingo-report", Environment = [{ Name = "SCHEDULED_TIME", "Value.$" = "$.scheduled_time" }] }]
      }
      PlacementStrategy = [
        { Type = "spread", Field = "attribute:ecs.availability-zone" },
        { Type = "binpack", Field = "memory" },
      ]
    }
    error_message = "the state machine runs the task"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.run.policy).Statement : join(" ", statement.Action) => statement.Resource
      } == {
      "ecs:RunTask"                                                                                                                                                          = ["arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-report-prod:*"]
      "ecs:TagResource"                                                                                                                                                      = ["arn:aws:ecs:us-east-1:123456789012:task/prod/*"]
      "ecs:DescribeTasks ecs:StopTask"                                                                                                                                       = ["arn:aws:ecs:us-east-1:123456789012:task/prod/*"]
      "iam:PassRole"                                                                                                                                                         = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]
      "events:DescribeRule events:PutRule events:PutTargets"                                                                                                                 = ["arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForECSTaskRule"]
      "logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery" = ["*"]
      "logs:DescribeLogGroups"                                                                                                                                               = ["arn:aws:logs:us-east-1:123456789012:log-group:*"]
    }
    error_message = "the state machine may run this task and nothing else"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.scheduler.policy).Statement : statement.Action[0] => statement.Resource
      } == {
      "states:StartExecution" = ["arn:aws:states:us-east-1:123456789012:stateMachine:duolingo-report-prod"]
      "sqs:SendMessage"       = ["arn:aws:sqs:us-east-1:123456789012:duolingo-report-prod_failed_runs"]
    }
    error_message = "the scheduler may start this state machine and nothing else"
  }
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.failed_run.event_pattern).detail == {
      clusterArn = ["arn:aws:ecs:us-east-1:123456789012:cluster/prod"]
      group      = ["family:duolingo-report-prod"]
      lastStatus = ["STOPPED"]
      "$or" = [
        { containers = { name = ["duolingo-report"], exitCode = [{ "anything-but" = [0] }] } },
        { stopCode = ["TaskFailedToStart"] },
      ]
    }
    error_message = "the rule sees what ended badly"
  }
  assert {
    condition     = aws_sqs_queue.failed_runs.sqs_managed_sse_enabled && aws_sqs_queue.failed_runs.message_retention_seconds == 1209600
    error_message = "what is known of failed runs is encrypted and kept for 14 days"
  }
  assert {
    condition     = keys(output.measures) == ["attempt-failed", "run-failed"] && output.measures["attempt-failed"].metrics.invocations.dimensions.RuleName == "duolingo-report-prod_failed_run"
    error_message = "both alarms are measured"
  }
}

run "on_fargate" {
  variables {
    identity = run.identity
    task = {
      definition_arn    = "arn:aws:ecs:us-east-1:123456789012:task-definition/duolingo-report-prod:7"
      container_name    = "duolingo-report"
      role_arns         = []
      capacity_provider = "FARGATE_SPOT"
      launch_type       = "FARGATE"
    }
    network = {
      subnet_ids         = ["subnet-1", "subnet-2"]
      security_group_ids = ["sg-1"]
    }
    attempts = 1
  }

  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States.Run.Parameters.NetworkConfiguration.AwsvpcConfiguration == {
      Subnets        = ["subnet-1", "subnet-2"]
      SecurityGroups = ["sg-1"]
      AssignPublicIp = "DISABLED"
    }
    error_message = "on Fargate the run names its network"
  }
  assert {
    condition     = !can(jsondecode(aws_sfn_state_machine.this.definition).States.Run.Parameters.PlacementStrategy)
    error_message = "Fargate places by itself"
  }
}

run "refuses_no_attempt" {
  command = plan
  variables {
    identity = run.identity
    attempts = 0
  }
  expect_failures = [var.attempts]
}

run "refuses_half_a_minute" {
  command = plan
  variables {
    identity        = run.identity
    timeout_seconds = 30
  }
  expect_failures = [var.timeout_seconds]
}
