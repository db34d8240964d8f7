data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  flow_logs = var.flow_log_retention_days == null ? 0 : 1

  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.id
  logs_arn   = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group"
}

resource "aws_cloudwatch_log_group" "this" {
  count = local.flow_logs

  name              = local.names.flow_log_group
  retention_in_days = var.flow_log_retention_days

  tags = local.tags
}

resource "aws_iam_role" "this" {
  count = local.flow_logs

  name        = local.names.flow_log_role
  description = "Flow logs of ${local.names.network}"
  # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ec2:${local.region}:${local.account_id}:vpc-flow-log/*" }
      }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "this" {
  count = local.flow_logs

  name = "flow-logs"
  role = aws_iam_role.this[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["${local.logs_arn}:${local.names.flow_log_group}", "${local.logs_arn}:${local.names.flow_log_group}:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups"]
        Resource = ["${local.logs_arn}:*"]
      },
    ]
  })
}

resource "aws_flow_log" "this" {
  count = local.flow_logs

  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.this[0].arn
  iam_role_arn             = aws_iam_role.this[0].arn
  max_aggregation_interval = 600

  tags = merge(local.tags, { Name = local.names.network })

  # Else it might deliver nothing until it is next asked to.
  depends_on = [aws_iam_role_policy.this]
}
