locals {
  coordination_table = var.coordination_table != null ? var.coordination_table : !local.daemon

  coordination_policy = !local.coordination_table ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      Resource = [aws_dynamodb_table.coordination[0].arn]
    }]
  })
}

# Locks of jobs, and messages already handled. DynamoDB encrypts every table, here with a key that costs nothing.
resource "aws_dynamodb_table" "coordination" {
  count = local.coordination_table ? 1 : 0

  name         = module.names.names.coordination_table
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "key"

  attribute {
    name = "key"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  # What was handled and what a job has covered is known nowhere else.
  point_in_time_recovery {
    enabled = true
  }

  tags = module.names.tags
}
