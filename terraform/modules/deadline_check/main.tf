locals {
  names             = var.identity.names
  state_machine_arn = "arn:${var.place.partition}:states:${var.place.region}:${var.place.account_id}:stateMachine:${local.names.deadline_state_machine}"

  definition = {
    Comment       = "Succeeds while ${local.names.ecs_service} has finished a run within ${var.hours} hours."
    QueryLanguage = "JSONata"
    StartAt       = "Look for a finished run"
    States = {
      "Look for a finished run" = {
        Type           = "Task"
        Resource       = "arn:${var.place.partition}:states:::aws-sdk:cloudwatch:getMetricStatistics"
        TimeoutSeconds = 60
        Arguments = {
          Namespace  = var.metric.namespace
          MetricName = var.metric.name
          Statistics = ["Sum"]
          # As coarse as a day, because CloudWatch returns 1,440 data points at most.
          Period    = 86400
          StartTime = "{% $fromMillis($millis() - ${var.hours * 3600000}) %}"
          EndTime   = "{% $now() %}"
        }
        Retry  = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 30, MaxAttempts = 5, BackoffRate = 2 }]
        Output = { finished = "{% $count($states.result.Datapoints) > 0 %}" }
        Next   = "Was there one"
      }

      "Was there one" = {
        Type    = "Choice"
        Choices = [{ Condition = "{% $states.input.finished %}", Next = "In time" }]
        Default = "Silent"
      }

      "In time" = { Type = "Succeed" }

      Silent = {
        Type  = "Fail"
        Error = "Silent"
        Cause = "No run has finished within ${var.hours} hours."
      }
    }
  }
}

resource "aws_iam_role" "this" {
  name        = local.names.deadline_role
  description = "What the deadline check of ${local.names.ecs_service} may read"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["scheduler.amazonaws.com", "states.amazonaws.com"] }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.place.account_id }
        ArnEquals = {
          "aws:SourceArn" = [
            "arn:${var.place.partition}:scheduler:${var.place.region}:${var.place.account_id}:schedule-group/${var.schedule_group}",
            local.state_machine_arn,
          ]
        }
      }
    }]
  })

  tags = var.identity.tags
}

resource "aws_iam_role_policy" "this" {
  name = "check"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = ["cloudwatch:GetMetricStatistics"]
        # The action allows nothing finer.
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = [local.state_machine_arn]
      },
    ]
  })
}

resource "aws_sfn_state_machine" "this" {
  name       = local.names.deadline_state_machine
  role_arn   = aws_iam_role.this.arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)

  tags = var.identity.tags

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_scheduler_schedule" "this" {
  name                         = local.names.deadline_schedule
  group_name                   = var.schedule_group
  description                  = "Checks when ${local.names.ecs_service} finished last"
  schedule_expression          = "rate(1 hour)"
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sfn_state_machine.this.arn
    role_arn = aws_iam_role.this.arn
    input    = "{}"

    # A check that is missed is made an hour later, and the alarm sees what never comes.
    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 600
    }
  }

  depends_on = [aws_iam_role_policy.this]
}
