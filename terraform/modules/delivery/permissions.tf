locals {
  contract = module.names[var.environments[0]].contract
  kinds    = local.contract.kinds
  web      = var.kind == "web"
  cron     = var.kind == "worker-cron"

  # Where the service's things are. What has no name of the service's in its ARN is told by its tags instead.
  places = {
    for environment, names in module.names : environment => {
      for service in ["application-autoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "elasticache", "elasticloadbalancing", "es", "events", "logs", "rds", "scheduler", "secretsmanager", "sqs", "ssm", "states"] :
      service => "arn:${local.partition}:${service}:${local.region}:${local.account_id}"
    }
  }

  role_arns = {
    for environment, names in module.names : environment => [
      for kind, name in names.names : "arn:${local.partition}:iam::${local.account_id}:role/${name}"
      # A pipeline that could change its own roles would have no limits.
      if endswith(kind, "_role") && !contains(["plan_role", "apply_role", "push_role"], kind)
    ]
  }

  state_arns = {
    for environment, state in module.state : environment => {
      bucket = "arn:${local.partition}:s3:::${state.names.bucket}"
      object = "arn:${local.partition}:s3:::${state.names.bucket}/${local.names.ecs_service}/${environment}.tfstate"
    }
  }

  own = {
    for environment, names in module.names : environment => {
      StringEquals = {
        "aws:ResourceTag/environment" = environment
        "aws:ResourceTag/product"     = var.product
        "aws:ResourceTag/service"     = var.service
      }
    }
  }

  made = {
    for environment, names in module.names : environment => {
      StringEquals = {
        "aws:RequestTag/environment" = environment
        "aws:RequestTag/product"     = var.product
        "aws:RequestTag/service"     = var.service
      }
    }
  }

  data_store_permissions = {
    postgres      = "rds"
    redis         = "elasticache"
    memcached     = "elasticache"
    elasticsearch = "es"
  }

  data_store_services = toset([for name in var.data_stores : local.data_store_permissions[name]])

  plan_statements = {
    for environment, names in module.names : environment => merge(
      {
        state = [
          { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.state_arns[environment].bucket] },
          { Effect = "Allow", Action = ["s3:GetObject"], Resource = [local.state_arns[environment].object] },
        ]
      },
      local.read_statements[environment],
      local.additional,
    )
  }

  apply_statements = {
    for environment, names in module.names : environment => merge(
      {
        state = [
          { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.state_arns[environment].bucket] },
          { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = [local.state_arns[environment].object] },
          # The lock is a file beside the state.
          { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource = ["${local.state_arns[environment].object}.tflock"] },
        ]
      },
      local.read_statements[environment],
      local.write_statements[environment],
      local.additional,
    )
  }

  additional = { for idea, policy in { additional = var.permissions_json } : idea => jsondecode(policy).Statement if policy != null }
}
