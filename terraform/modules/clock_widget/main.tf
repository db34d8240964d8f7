data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  names = var.identity.names
  # clock.py packed by tests/terraform/test_clock_widget.py, so that neither a provider nor a build step is needed here.
  package = "${path.module}/clock.zip"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.names.function_log_group
  retention_in_days = var.log_retention_days

  tags = var.identity.tags
}

resource "aws_iam_role" "this" {
  name        = local.names.function_role
  description = "What the clock on dashboards may do: write its log"
  # Whoever gives a function a role may only pass one of its own account, so that no other account gets at this one.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  tags = var.identity.tags
}

resource "aws_iam_role_policy" "this" {
  name = "log"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [join(":", [
        "arn", data.aws_partition.this.partition, "logs", data.aws_region.this.id, data.aws_caller_identity.this.account_id,
        "log-group", local.names.function_log_group, "*",
      ])]
    }]
  })
}

resource "aws_lambda_function" "this" {
  function_name = local.names.function
  description   = "Local time and UTC, as a custom widget of dashboards"
  role          = aws_iam_role.this.arn

  package_type     = "Zip"
  filename         = local.package
  source_code_hash = filebase64sha256(local.package)
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "clock.handler"
  memory_size      = 128
  timeout          = 3

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tags = var.identity.tags

  # Else the first call comes before it may write its log.
  depends_on = [aws_iam_role_policy.this]
}
