locals {
  contract = module.names[var.environments[0]].contract
  kinds    = local.contract.kinds
  web      = var.kind == "web"
  cron     = var.kind == "worker-cron"

  # Where the service's things are. What has no name of the service's in its ARN is told by its tags instead.
  places = {
    for environment, names in module.names : environment => {
      for service in ["application-autoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "elasticache", "elasticloadbalancing", "es", "events", "kms", "logs", "rds", "scheduler", "secretsmanager", "sqs", "ssm", "states"] :
      service => "arn:${local.partition}:${service}:${local.region}:${local.account_id}"
    }
  }

  role_arns = {
    for environment, names in module.names : environment => concat(
      [
        for kind, name in names.names : "arn:${local.partition}:iam::${local.account_id}:role/${name}"
        # A pipeline that could change its own roles would have no limits.
        if endswith(kind, "_role") && !contains(["plan_role", "apply_role", "push_role"], kind)
      ],
      [
        for key, store in local.data_stores :
        "arn:${local.partition}:iam::${local.account_id}:role/${module.data_store_names[key].names.database_monitoring_role}"
        if store.environment == environment && store.service == "rds"
      ],
    )
  }

  state_arns = {
    for environment, state in module.state : environment => {
      bucket   = "arn:${local.partition}:s3:::${state.names.bucket}"
      object   = "arn:${local.partition}:s3:::${state.names.bucket}/${local.names.ecs_service}/${environment}.tfstate"
      releases = "arn:${local.partition}:s3:::${state.names.bucket}/${local.names.ecs_service}/${environment}.releases.json"
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

  # As the template calls them.
  subservices = merge({ postgres = "db", redis = "redis", memcached = "cache", elasticsearch = "search" }, var.subservices)

  data_stores = merge([
    for environment in var.environments : {
      for name in var.data_stores : "${environment} ${name}" => {
        environment = environment
        subservice  = local.subservices[name]
        service     = local.data_store_permissions[name]
      } if contains(keys(local.data_store_permissions), name)
    }
  ]...)

  # Their names, by environment and by the service of AWS that they are of.
  data_store_names = {
    for environment in var.environments : environment => {
      for service in distinct(values(local.data_store_permissions)) : service => [
        for key, store in local.data_stores : module.data_store_names[key].names
        if store.environment == environment && store.service == service
      ]
    }
  }

  data_store_services = toset([for name in var.data_stores : local.data_store_permissions[name]])

  plan_statements = {
    for environment, names in module.names : environment => merge(
      {
        state = [
          { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.state_arns[environment].bucket] },
          { Effect = "Allow", Action = ["s3:GetObject"], Resource = [local.state_arns[environment].object, local.state_arns[environment].releases] },
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
          { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = [local.state_arns[environment].object, local.state_arns[environment].releases] },
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
