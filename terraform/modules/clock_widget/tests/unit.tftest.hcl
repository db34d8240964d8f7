mock_provider "aws" {
  source = "../../testing"
}

run "names" {
  command = plan

  variables {
    product     = "platform"
    service     = "clock"
    environment = "prod"
    owner       = "Platform Team"
  }

  module {
    source = "../names"
  }
}

run "a_function_that_may_write_its_log" {
  command = plan

  variables {
    identity = run.names
  }

  assert {
    condition     = aws_lambda_function.this.function_name == "platform-clock-prod" && aws_lambda_function.this.handler == "clock.handler"
    error_message = "the function runs the packed code"
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == "/aws/lambda/platform-clock-prod" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "the log is kept for a while only"
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/platform-clock-prod:*"]
    }]
    error_message = "it may write its own log and nothing else"
  }
  assert {
    condition     = aws_lambda_function.this.tags == run.names.tags && aws_iam_role.this.tags == run.names.tags && aws_cloudwatch_log_group.this.tags == run.names.tags
    error_message = "everything is billed"
  }
}
