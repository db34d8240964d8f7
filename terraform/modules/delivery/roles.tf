locals {
  issuer = "token.actions.githubusercontent.com"
  provider_arn = (
    var.github_oidc_provider_arn != null ? var.github_oidc_provider_arn :
    "arn:${local.partition}:iam::${local.account_id}:oidc-provider/${local.issuer}"
  )

  # https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
  subjects = merge(
    { push = "ref:refs/heads/${var.main_branch}" },
    { for environment in var.environments : "plan ${environment}" => "pull_request" },
    { for environment in var.environments : "apply ${environment}" => "environment:${environment}" },
  )

  trust_policies = {
    for role, subject in local.subjects : role => jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        [for repository in var.github_repository[*] : {
          Effect    = "Allow"
          Action    = "sts:AssumeRoleWithWebIdentity"
          Principal = { Federated = local.provider_arn }
          Condition = {
            StringEquals = {
              "${local.issuer}:aud" = "sts.amazonaws.com"
              "${local.issuer}:sub" = "repo:${repository}:${subject}"
            }
          }
        }],
        [for statement in [{
          Effect    = "Allow"
          Action    = "sts:AssumeRole"
          Principal = { AWS = sort(var.trusted_role_arns) }
        }] : statement if length(var.trusted_role_arns) > 0],
      )
    })
  }

  shared_tags = merge(module.names[var.environments[0]].tags, { environment = join("+", var.environments) })

  # A policy of each role and idea: one alone would be longer than IAM allows.
  plan_policies = merge([
    for environment in var.environments : {
      for name, statements in local.plan_statements[environment] : "${environment} ${name}" => {
        environment = environment
        name        = "${module.names[environment].names.plan_role}-${name}"
        statements  = statements
      }
    }
  ]...)
  apply_policies = merge([
    for environment in var.environments : {
      for name, statements in local.apply_statements[environment] : "${environment} ${name}" => {
        environment = environment
        name        = "${module.names[environment].names.apply_role}-${name}"
        statements  = statements
      }
    }
  ]...)
}

resource "aws_iam_role" "push" {
  name                 = local.names.push_role
  description          = "Pushes images of ${local.names.ecr_repository}"
  assume_role_policy   = local.trust_policies["push"]
  max_session_duration = 3600

  tags = local.shared_tags
}

resource "aws_iam_role_policy" "push" {
  name = "push"
  role = aws_iam_role.push.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = ["ecr:GetAuthorizationToken"]
        # The action allows nothing finer.
        Resource = ["*"]
      },
      {
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = [aws_ecr_repository.this.arn]
      },
    ]
  })
}

resource "aws_iam_role" "plan" {
  for_each = module.names

  name                 = each.value.names.plan_role
  description          = "Plans ${local.names.ecs_service} in ${each.key}, and changes nothing"
  assume_role_policy   = local.trust_policies["plan ${each.key}"]
  max_session_duration = 3600

  tags = each.value.tags
}

resource "aws_iam_policy" "plan" {
  for_each = local.plan_policies

  name        = each.value.name
  description = "What planning ${local.names.ecs_service} in ${each.value.environment} reads"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value.statements })

  tags = module.names[each.value.environment].tags
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = local.plan_policies

  role       = aws_iam_role.plan[each.value.environment].name
  policy_arn = aws_iam_policy.plan[each.key].arn
}

resource "aws_iam_role" "apply" {
  for_each = module.names

  name                 = each.value.names.apply_role
  description          = "Delivers ${local.names.ecs_service} to ${each.key}"
  assume_role_policy   = local.trust_policies["apply ${each.key}"]
  max_session_duration = 3600

  tags = each.value.tags
}

resource "aws_iam_policy" "apply" {
  for_each = local.apply_policies

  name        = each.value.name
  description = "What delivering ${local.names.ecs_service} to ${each.value.environment} changes"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value.statements })

  tags = module.names[each.value.environment].tags
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = local.apply_policies

  role       = aws_iam_role.apply[each.value.environment].name
  policy_arn = aws_iam_policy.apply[each.key].arn
}
