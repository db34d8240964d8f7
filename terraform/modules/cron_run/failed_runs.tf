locals {
  denied_without_tls = [
    "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:PurgeQueue",
    "sqs:ReceiveMessage", "sqs:SendMessage",
  ]
}

# What nobody handles and people look at: ends of tasks that failed, and starts that the scheduler gave up.
resource "aws_sqs_queue" "failed_runs" {
  name                      = local.names.failed_runs_queue
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
  redrive_allow_policy      = jsonencode({ redrivePermission = "denyAll" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.denied_without_tls
        Resource  = local.failed_runs_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "EndsOfTasks"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.failed_runs_arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.place.account_id }
          ArnEquals    = { "aws:SourceArn" = local.rule_arn }
        }
      },
    ]
  })

  tags = var.identity.tags
}

resource "aws_cloudwatch_event_rule" "failed_run" {
  name        = local.names.failed_run_rule
  description = "Tasks of ${local.names.ecs_service} that ended with another exit code than 0, or never started"

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [local.cluster_arn]
      group      = ["family:${local.names.task_family}"]
      lastStatus = ["STOPPED"]
      "$or" = [
        { containers = { name = [var.task.container_name], exitCode = [{ "anything-but" = [var.identity.contract.exit_codes.finished] }] } },
        { stopCode = ["TaskFailedToStart"] },
      ]
    }
  })

  tags = var.identity.tags
}

resource "aws_cloudwatch_event_target" "failed_run" {
  rule      = aws_cloudwatch_event_rule.failed_run.name
  target_id = "failed-runs"
  arn       = aws_sqs_queue.failed_runs.arn
}
