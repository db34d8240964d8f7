locals {
  names       = var.identity.names
  ecs_prefix  = "arn:${var.place.partition}:ecs:${var.place.region}:${var.place.account_id}"
  cluster_arn = "${local.ecs_prefix}:cluster/${var.ecs_cluster}"

  # Built, because the role and the queue's policy are made before what they name.
  state_machine_arn = "arn:${var.place.partition}:states:${var.place.region}:${var.place.account_id}:stateMachine:${local.names.state_machine}"
  failed_runs_arn   = "arn:${var.place.partition}:sqs:${var.place.region}:${var.place.account_id}:${local.names.failed_runs_queue}"
  rule_arn          = "arn:${var.place.partition}:events:${var.place.region}:${var.place.account_id}:rule/${local.names.failed_run_rule}"

  first_pause_seconds = 60
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.names.state_machine_log_group
  retention_in_days = var.log_retention_days

  tags = var.identity.tags
}

resource "aws_iam_role" "run" {
  name        = local.names.run_role
  description = "What Step Functions needs to run ${local.names.ecs_service}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.place.account_id }
        ArnEquals    = { "aws:SourceArn" = local.state_machine_arn }
      }
    }]
  })

  tags = var.identity.tags
}

# https://docs.aws.amazon.com/step-functions/latest/dg/ecs-iam.html and .../cw-logs.html
resource "aws_iam_role_policy" "run" {
  name = "run"
  role = aws_iam_role.run.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = ["ecs:RunTask"]
        # Every revision, so that a deployment does not touch the role.
        Resource  = ["${local.ecs_prefix}:task-definition/${local.names.task_family}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["${local.ecs_prefix}:task/${var.ecs_cluster}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:DescribeTasks", "ecs:StopTask"]
        Resource  = ["${local.ecs_prefix}:task/${var.ecs_cluster}/*"]
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = var.task.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        # The rule by which Step Functions itself learns that a task has ended.
        Effect   = "Allow"
        Action   = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
        Resource = ["arn:${var.place.partition}:events:${var.place.region}:${var.place.account_id}:rule/StepFunctionsGetEventsForECSTaskRule"]
      },
      {
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies", "logs:GetLogDelivery",
          "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        # These actions allow nothing finer.
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups"]
        Resource = ["arn:${var.place.partition}:logs:${var.place.region}:${var.place.account_id}:log-group:*"]
      },
    ]
  })
}

resource "aws_sfn_state_machine" "this" {
  name       = local.names.state_machine
  role_arn   = aws_iam_role.run.arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tags = var.identity.tags

  # Step Functions tries at once whether the role may write the log.
  depends_on = [aws_iam_role_policy.run]
}
