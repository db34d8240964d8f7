locals {
  secret_arns = {
    # A secret's ARN may be followed by a JSON key, a stage and a version, which IAM does not know.
    "secretsmanager:GetSecretValue" = [for arn in values(var.secrets) : join(":", slice(split(":", arn), 0, 7)) if strcontains(arn, ":secretsmanager:")]
    "ssm:GetParameters"             = [for arn in values(var.secrets) : arn if strcontains(arn, ":ssm:")]
  }

  execution_statements = concat(
    [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.names.log_group}:*"]
    }],
    length(local.ecr_repository_arns) == 0 ? [] : [
      {
        Effect = "Allow"
        Action = ["ecr:GetAuthorizationToken"]
        # The action allows nothing finer.
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = local.ecr_repository_arns
      },
    ],
    [
      for action, arns in local.secret_arns : {
        Effect   = "Allow"
        Action   = [action]
        Resource = distinct(arns)
      } if length(arns) > 0
    ],
    length(var.secrets_kms_key_arns) == 0 ? [] : [{
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = distinct(var.secrets_kms_key_arns)
      # The keys open nothing but what these two hand over.
      Condition = {
        StringEquals = {
          "kms:ViaService" = [for service in ["secretsmanager", "ssm"] : "${service}.${local.region}.${data.aws_partition.this.dns_suffix}"]
        }
      }
    }],
  )

  trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "task" {
  name               = local.names.task_role
  description        = "What the code of ${local.names.ecs_service} may do"
  assume_role_policy = local.trust_policy

  tags = var.identity.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = merge(var.policies, local.agent_policies)

  name   = each.key
  role   = aws_iam_role.task.name
  policy = each.value
}

resource "aws_iam_role" "execution" {
  name               = local.names.execution_role
  description        = "What ECS needs to start ${local.names.ecs_service}"
  assume_role_policy = local.trust_policy

  tags = var.identity.tags
}

resource "aws_iam_role_policy" "execution" {
  name = "execution"
  role = aws_iam_role.execution.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.execution_statements
  })
}
