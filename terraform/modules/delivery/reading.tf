locals {
  read_statements = {
    for environment, names in module.names : environment => {
      read = concat(
        [
          {
            Effect = "Allow"
            # None of these allows anything finer.
            Action = sort(concat(
              [
                "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies",
                "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
                "ecs:DescribeTaskDefinition",
              ],
              [for statement in [
                "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
              ] : statement if local.web],
            ))
            Resource = ["*"]
          },
          {
            Effect   = "Allow"
            Action   = ["ssm:GetParameter"]
            Resource = ["${local.places[environment].ssm}:parameter/platform/${environment}/*"]
          },
          {
            Effect   = "Allow"
            Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
            Resource = local.role_arns[environment]
          },
          {
            Effect   = "Allow"
            Action   = ["ecr:BatchGetImage", "ecr:DescribeImages"]
            Resource = [aws_ecr_repository.this.arn]
          },
          {
            Effect = "Allow"
            Action = ["ecs:DescribeClusters", "ecs:DescribeServices", "ecs:ListTagsForResource"]
            Resource = [
              "${local.places[environment].ecs}:cluster/*",
              "${local.places[environment].ecs}:service/*/${names.names.ecs_service}",
              "${local.places[environment].ecs}:task-definition/${names.names.task_family}:*",
            ]
          },
          {
            Effect   = "Allow"
            Action   = ["application-autoscaling:ListTagsForResource"]
            Resource = ["${local.places[environment]["application-autoscaling"]}:scalable-target/*"]
          },
          {
            Effect   = "Allow"
            Action   = ["logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:ListTagsForResource"]
            Resource = ["${local.places[environment].logs}:log-group:*"]
          },
          {
            Effect = "Allow"
            Action = ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"]
            # Composite alarms are shown to those only who may see all.
            Resource = ["${local.places[environment].cloudwatch}:alarm:*"]
          },
          {
            Effect   = "Allow"
            Action   = ["cloudwatch:GetDashboard"]
            Resource = ["arn:${local.partition}:cloudwatch::${local.account_id}:dashboard/${names.names.dashboard}"]
          },
        ],
        [for statement in [
          {
            Effect = "Allow"
            Action = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"]
            Resource = [
              # Further queues, and dead-letter queues, are named after the first one.
              "${local.places[environment].sqs}:${names.names.queue}",
              "${local.places[environment].sqs}:${names.names.queue}_*",
            ]
          },
          {
            Effect = "Allow"
            Action = [
              "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
            ]
            Resource = ["${local.places[environment].dynamodb}:table/${names.names.coordination_table}"]
          },
          {
            Effect = "Allow"
            Action = [
              "s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration",
              "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketRequestPayment",
              "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetEncryptionConfiguration",
              "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket",
            ]
            Resource = ["arn:${local.partition}:s3:::${names.names.payload_bucket}"]
          },
        ] : statement if !local.web],
        [for statement in [
          {
            Effect   = "Allow"
            Action   = ["events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"]
            Resource = ["${local.places[environment].events}:rule/${names.names.failed_run_rule}"]
          },
          {
            Effect = "Allow"
            Action = ["scheduler:GetSchedule", "scheduler:GetScheduleGroup", "scheduler:ListTagsForResource"]
            Resource = [
              "${local.places[environment].scheduler}:schedule/${names.names.schedule_group}/*",
              "${local.places[environment].scheduler}:schedule-group/${names.names.schedule_group}",
            ]
          },
          {
            Effect   = "Allow"
            Action   = ["states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource"]
            Resource = ["${local.places[environment].states}:stateMachine:${names.names.state_machine}*"]
          },
          {
            # It changes nothing: the provider has a changed definition looked over while it plans, of whatever name.
            # https://github.com/hashicorp/terraform-provider-aws/issues/39472
            Effect   = "Allow"
            Action   = ["states:ValidateStateMachineDefinition"]
            Resource = ["${local.places[environment].states}:stateMachine:*"]
          },
        ] : statement if local.cron],
        [for statement in [{
          Effect = "Allow"
          Action = [
            "rds:DescribeDBClusterParameterGroups", "rds:DescribeDBClusterParameters", "rds:DescribeDBClusters", "rds:DescribeDBInstances",
            "rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:DescribeDBSubnetGroups", "rds:DescribeGlobalClusters",
            "rds:ListTagsForResource",
          ]
          Resource = [for type in local.rds_types : "${local.places[environment].rds}:${type}:*"]
        }] : statement if contains(local.data_store_services, "rds")],
        [for statement in [{
          Effect   = "Allow"
          Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"]
          Resource = ["${local.places[environment].secretsmanager}:secret:${environment}/${names.names.ecs_service}/*"]
        }] : statement if contains(local.data_store_services, "rds")],
        [for statement in [{
          Effect = "Allow"
          Action = [
            "elasticache:DescribeCacheClusters", "elasticache:DescribeCacheParameterGroups", "elasticache:DescribeCacheParameters",
            "elasticache:DescribeCacheSubnetGroups", "elasticache:DescribeReplicationGroups", "elasticache:ListTagsForResource",
          ]
          Resource = [for type in local.elasticache_types : "${local.places[environment].elasticache}:${type}:*"]
        }] : statement if contains(local.data_store_services, "elasticache")],
        [for statement in [{
          Effect   = "Allow"
          Action   = ["es:DescribeDomain", "es:DescribeDomainConfig", "es:GetCompatibleVersions", "es:ListTags"]
          Resource = [for store in local.data_store_names[environment].es : "${local.places[environment].es}:domain/${store.search_domain}"]
        }] : statement if contains(local.data_store_services, "es")],
      )
    }
  }

  rds_types         = ["cluster", "cluster-pg", "db", "global-cluster", "pg", "subgrp"]
  elasticache_types = ["cluster", "parametergroup", "replicationgroup", "subnetgroup"]
}
