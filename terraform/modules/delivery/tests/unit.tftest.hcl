mock_provider "aws" {
  source = "../../testing"
}

variables {
  product           = "duolingo"
  service           = "api"
  owner             = "Learning Team"
  kind              = "web"
  environments      = ["staging", "prod"]
  github_repository = "duolingo/duolingo-api"
}

run "github" {
  assert {
    condition = {
      for role in concat([aws_iam_role.push], values(aws_iam_role.plan), values(aws_iam_role.apply)) :
      role.name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals
      } == {
      for name, subject in {
        duolingo-api-push          = "ref:refs/heads/main"
        duolingo-api-staging-plan  = "pull_request"
        duolingo-api-prod-plan     = "pull_request"
        duolingo-api-staging-apply = "environment:staging"
        duolingo-api-prod-apply    = "environment:prod"
        } : name => {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:duolingo/duolingo-api:${subject}"
      }
    }
    error_message = "each role is for one use of one repository"
  }
  assert {
    condition = alltrue([
      for role in concat([aws_iam_role.push], values(aws_iam_role.plan), values(aws_iam_role.apply)) :
      length(jsondecode(role.assume_role_policy).Statement) == 1
      && jsondecode(role.assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    ])
    error_message = "nobody else is trusted"
  }
  assert {
    condition     = aws_ecr_repository.this.name == "duolingo-api" && aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "tags do not move"
  }
  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "images are scanned"
  }
  assert {
    condition     = length(jsondecode(aws_ecr_lifecycle_policy.this.policy).rules) == 2
    error_message = "old images go"
  }
  assert {
    condition = !anytrue(flatten([
      for policy in values(aws_iam_policy.plan) : [
        for statement in jsondecode(policy.policy).Statement : [
          for action in statement.Action :
          !can(regex("^[a-z0-9-]+:(?:Batch)?(?:Describe|Get|List)[A-Za-z]*$", action)) || action == "secretsmanager:GetSecretValue"
        ]
      ]
    ]))
    error_message = "planning changes nothing and reads no secret"
  }
  assert {
    condition = alltrue([
      for policy in concat(values(aws_iam_policy.plan), values(aws_iam_policy.apply)) : length(policy.policy) <= 6144
    ])
    error_message = "IAM takes at most 6144 characters"
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.apply["prod roles"].policy).Statement : alltrue([
        for arn in statement.Resource : !strcontains(arn, "*") && !can(regex("-(?:plan|apply|push)$", arn))
      ])
    ])
    error_message = "it changes and passes the service's roles, and none of the pipeline's"
  }
  assert {
    condition     = !strcontains(join("", [for policy in values(aws_iam_policy.apply) : policy.policy]), "rds:")
    error_message = "without a data store there is nothing to allow"
  }
}

run "everything" {
  variables {
    kind              = "worker-cron"
    data_stores       = ["postgres", "redis", "memcached", "elasticsearch"]
    github_repository = null
    trusted_role_arns = ["arn:aws:iam::123456789012:role/jenkins"]
    permissions_json  = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:us-east-1:123456789012:x"] }] })
    kms_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  assert {
    condition     = jsondecode(aws_iam_role.apply["prod"].assume_role_policy).Statement[0].Principal.AWS == ["arn:aws:iam::123456789012:role/jenkins"]
    error_message = "another CI takes on the same roles"
  }
  assert {
    condition = alltrue([
      for policy in concat(values(aws_iam_policy.plan), values(aws_iam_policy.apply)) : length(policy.policy) <= 6144
    ])
    error_message = "IAM takes at most 6144 characters"
  }
  assert {
    condition     = length([for key in keys(aws_iam_policy.apply) : key if startswith(key, "prod ")]) <= 10
    error_message = "IAM takes at most ten policies for a role"
  }
  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].kms_key == var.kms_key_arn
    error_message = "the key is the caller's"
  }
}

run "data_stores_may_be_called_otherwise" {
  variables {
    data_stores = ["postgres"]
    subservices = { postgres = "ledger" }
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.apply["prod data-stores"].policy).Statement : alltrue([
        for arn in statement.Resource : can(regex(":duolingo-api-ledger-prod(?:-[*])?$", arn))
      ]) if contains(statement.Action, "rds:ModifyDBCluster")
    ])
    error_message = "the cluster of this environment, and no other"
  }
}

run "refuses_the_subservice_of_a_data_store_that_is_not_there" {
  command = plan
  variables {
    subservices = { redis = "sessions" }
  }
  expect_failures = [var.subservices]
}

run "refuses_no_environment" {
  command = plan
  variables {
    environments = []
  }
  expect_failures = [var.environments]
}

run "refuses_an_unknown_kind" {
  command = plan
  variables {
    kind = "lambda"
  }
  expect_failures = [var.kind]
}

run "refuses_an_unknown_data_store" {
  command = plan
  variables {
    data_stores = ["mysql"]
  }
  expect_failures = [var.data_stores]
}

run "refuses_a_repository_with_a_wildcard" {
  command = plan
  variables {
    github_repository = "duolingo/*"
  }
  expect_failures = [var.github_repository]
}

run "refuses_a_branch_with_a_wildcard" {
  command = plan
  variables {
    main_branch = "*"
  }
  expect_failures = [var.main_branch]
}

run "refuses_to_trust_everybody" {
  command = plan
  variables {
    trusted_role_arns = ["*"]
  }
  expect_failures = [var.trusted_role_arns]
}

run "refuses_to_trust_nobody" {
  command = plan
  variables {
    github_repository = null
  }
  expect_failures = [var.trusted_role_arns]
}

run "refuses_permissions_that_are_no_policy" {
  command = plan
  variables {
    permissions_json = "{}"
  }
  expect_failures = [var.permissions_json]
}

run "refuses_a_key_that_is_none" {
  command = plan
  variables {
    kms_key_arn = "alias/images"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_to_keep_one_image" {
  command = plan
  variables {
    keep_images = 1
  }
  expect_failures = [var.keep_images]
}
