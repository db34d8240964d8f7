resource "aws_scheduler_schedule_group" "this" {
  name = local.names.schedule_group

  tags = var.identity.tags
}

resource "aws_iam_role" "scheduler" {
  name        = local.names.scheduler_role
  description = "What EventBridge Scheduler needs to start ${local.names.ecs_service}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = var.place.account_id
          # A schedule's trust is by its group; its own ARN would match nothing:
          # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
          "aws:SourceArn" = "arn:${var.place.partition}:scheduler:${var.place.region}:${var.place.account_id}:schedule-group/${local.names.schedule_group}"
        }
      }
    }]
  })

  tags = var.identity.tags
}

resource "aws_iam_role_policy" "scheduler" {
  name = "run"
  role = aws_iam_role.scheduler.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = [local.state_machine_arn]
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [local.failed_runs_arn]
      },
    ]
  })
}

resource "aws_scheduler_schedule" "this" {
  name                         = local.names.schedule
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Runs ${local.names.ecs_service}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sfn_state_machine.this.arn
    role_arn = aws_iam_role.scheduler.arn

    # Written out, because the scheduler looks for the text, and jsonencode would write \u003c for <:
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    input = "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"

    # For a start that fails; a run that fails is the state machine's.
    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }

    dead_letter_config {
      arn = aws_sqs_queue.failed_runs.arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}
