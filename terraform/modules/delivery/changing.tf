locals {
  write_statements = {
    for environment, names in module.names : environment => merge(
      {
        service = concat(
          [
            {
              Effect   = "Allow"
              Action   = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
              Resource = ["${local.places[environment].ecs}:task-definition/${names.names.task_family}:*"]
            },
            {
              # The one-off task of a release's migrations.
              Effect   = "Allow"
              Action   = ["ecs:RunTask"]
              Resource = ["${local.places[environment].ecs}:task-definition/${names.names.task_family}:*"]
            },
            {
              # It gets the tags of its definition.
              Effect    = "Allow"
              Action    = ["ecs:TagResource"]
              Resource  = ["${local.places[environment].ecs}:task/*"]
              Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
            },
            {
              Effect   = "Allow"
              Action   = ["ecs:DescribeTasks", "ecs:StopTask"]
              Resource = ["${local.places[environment].ecs}:task/*"]
              # A task has the tags of the definition that it was run from.
              Condition = local.own[environment]
            },
            {
              Effect   = "Allow"
              Action   = ["logs:GetLogEvents"]
              Resource = ["${local.places[environment].logs}:log-group:${names.names.log_group}:*"]
            },
            {
              Effect = "Allow"
              Action = [
                "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteMetricFilter", "logs:DeleteRetentionPolicy", "logs:PutMetricFilter",
                "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
              ]
              Resource = concat(
                flatten([
                  for group in [names.names.log_group, names.names.state_machine_log_group] :
                  ["${local.places[environment].logs}:log-group:${group}", "${local.places[environment].logs}:log-group:${group}:*"]
                ]),
                [for store in local.data_store_names[environment].rds : "${local.places[environment].logs}:log-group:/aws/rds/cluster/${store.database_cluster}/*"],
                [for store in local.data_store_names[environment].elasticache : "${local.places[environment].logs}:log-group:${store.cache_log_group}/*"],
                [for store in local.data_store_names[environment].es : "${local.places[environment].logs}:log-group:${store.search_log_group}/*"],
              )
            },
            {
              Effect = "Allow"
              Action = [
                "cloudwatch:DeleteAlarms", "cloudwatch:PutCompositeAlarm", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
              ]
              Resource = concat(
                ["${local.places[environment].cloudwatch}:alarm:${names.names.alarm_prefix}-*"],
                [for store in flatten(values(local.data_store_names[environment])) : "${local.places[environment].cloudwatch}:alarm:${store.data_store_alarm_prefix}-*"],
              )
            },
            {
              Effect   = "Allow"
              Action   = ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"]
              Resource = ["arn:${local.partition}:cloudwatch::${local.account_id}:dashboard/${names.names.dashboard}"]
            },
          ],
          [for statement in [
            {
              # A service has the same name in each environment.
              Effect    = "Allow"
              Action    = ["ecs:CreateService", "ecs:TagResource"]
              Resource  = ["${local.places[environment].ecs}:service/*/${names.names.ecs_service}"]
              Condition = local.made[environment]
            },
            {
              Effect    = "Allow"
              Action    = ["ecs:DeleteService", "ecs:TagResource", "ecs:UntagResource", "ecs:UpdateService"]
              Resource  = ["${local.places[environment].ecs}:service/*/${names.names.ecs_service}"]
              Condition = local.own[environment]
            },
            {
              Effect = "Allow"
              Action = [
                "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:TagResource", "application-autoscaling:UntagResource",
              ]
              Resource = ["${local.places[environment]["application-autoscaling"]}:scalable-target/*"]
              Condition = {
                StringEqualsIfExists = { "application-autoscaling:service-namespace" = "ecs" }
              }
            },
          ] : statement if !local.cron],
          [for statement in [
            {
              Effect = "Allow"
              Action = ["elasticloadbalancing:CreateRule", "elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:AddTags"]
              Resource = [
                "${local.places[environment].elasticloadbalancing}:listener/app/*",
                "${local.places[environment].elasticloadbalancing}:listener-rule/app/*",
                "${local.places[environment].elasticloadbalancing}:targetgroup/${names.names.target_group}-*/*",
              ]
              Condition = local.made[environment]
            },
            {
              Effect = "Allow"
              Action = [
                "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyRule",
                "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
                "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetRulePriorities",
              ]
              Resource = [
                "${local.places[environment].elasticloadbalancing}:listener-rule/app/*",
                "${local.places[environment].elasticloadbalancing}:targetgroup/${names.names.target_group}-*/*",
              ]
              Condition = local.own[environment]
            },
            {
              Effect = "Allow"
              Action = [
                "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateLoadBalancer",
                "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:ModifyListener",
                "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:RemoveTags",
                "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
              ]
              Resource = [
                for type in ["listener", "loadbalancer"] :
                "${local.places[environment].elasticloadbalancing}:${type}/app/${names.names.load_balancer}*/*"
              ]
            },
          ] : statement if local.web],
        )

        roles = [
          {
            Effect = "Allow"
            Action = [
              "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:ListInstanceProfilesForRole", "iam:PutRolePolicy",
              "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
            ]
            Resource = local.role_arns[environment]
          },
          {
            Effect   = "Allow"
            Action   = ["iam:PassRole"]
            Resource = local.role_arns[environment]
            Condition = {
              StringEquals = {
                "iam:PassedToService" = concat(
                  ["ecs-tasks.amazonaws.com"],
                  local.cron ? ["events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"] : [],
                  contains(local.data_store_services, "rds") ? ["monitoring.rds.amazonaws.com"] : [],
                )
              }
            }
          },
        ]

        network = [
          {
            Effect    = "Allow"
            Action    = ["ec2:CreateSecurityGroup"]
            Resource  = ["${local.places[environment].ec2}:security-group/*"]
            Condition = local.made[environment]
          },
          {
            Effect   = "Allow"
            Action   = ["ec2:CreateSecurityGroup"]
            Resource = ["${local.places[environment].ec2}:vpc/*"]
          },
          {
            Effect    = "Allow"
            Action    = ["ec2:CreateTags"]
            Resource  = [for type in ["security-group", "security-group-rule"] : "${local.places[environment].ec2}:${type}/*"]
            Condition = local.made[environment]
          },
          {
            Effect = "Allow"
            Action = [
              "ec2:AuthorizeSecurityGroupEgress", "ec2:DeleteSecurityGroup", "ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroupEgress",
            ]
            Resource  = [for type in ["security-group", "security-group-rule"] : "${local.places[environment].ec2}:${type}/*"]
            Condition = local.own[environment]
          },
          {
            # Also into the hosts of the environment's cluster, which a load balancer of the service's own needs.
            Effect    = "Allow"
            Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
            Resource  = ["${local.places[environment].ec2}:security-group/*"]
            Condition = { StringEquals = { "aws:ResourceTag/environment" = environment } }
          },
          {
            Effect    = "Allow"
            Action    = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
            Resource  = ["${local.places[environment].ec2}:security-group-rule/*"]
            Condition = local.made[environment]
          },
        ]
      },
      { for idea, statements in {
        worker = concat(
          [
            {
              Effect = "Allow"
              Action = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"]
              Resource = [
                # Further queues, and dead-letter queues, are named after the first one.
                "${local.places[environment].sqs}:${names.names.queue}",
                "${local.places[environment].sqs}:${names.names.queue}_*",
              ]
            },
            {
              Effect = "Allow"
              Action = [
                "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:TagResource", "dynamodb:UntagResource",
                "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
              ]
              Resource = ["${local.places[environment].dynamodb}:table/${names.names.coordination_table}"]
            },
            {
              Effect = "Allow"
              Action = [
                "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
              ]
              Resource = ["arn:${local.partition}:s3:::${names.names.payload_bucket}"]
            },
          ],
          [for statement in [
            {
              Effect = "Allow"
              Action = [
                "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource",
              ]
              Resource = ["${local.places[environment].events}:rule/${names.names.failed_run_rule}"]
            },
            {
              Effect = "Allow"
              Action = [
                "scheduler:CreateSchedule", "scheduler:CreateScheduleGroup", "scheduler:DeleteSchedule", "scheduler:DeleteScheduleGroup",
                "scheduler:TagResource", "scheduler:UntagResource", "scheduler:UpdateSchedule",
              ]
              Resource = [
                "${local.places[environment].scheduler}:schedule/${names.names.schedule_group}/*",
                "${local.places[environment].scheduler}:schedule-group/${names.names.schedule_group}",
              ]
            },
            {
              Effect = "Allow"
              Action = [
                "states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource", "states:UntagResource", "states:UpdateStateMachine",
              ]
              Resource = ["${local.places[environment].states}:stateMachine:${names.names.state_machine}*"]
            },
          ] : statement if local.cron],
        )
      } : idea => statements if !local.web },
      { for idea, statements in {
        data-stores = concat(
          [for statement in [
            {
              Effect = "Allow"
              Action = [
                "rds:AddTagsToResource", "rds:CreateDBCluster", "rds:CreateDBClusterParameterGroup", "rds:CreateDBInstance",
                "rds:CreateDBParameterGroup", "rds:CreateDBSubnetGroup", "rds:DeleteDBCluster", "rds:DeleteDBClusterParameterGroup",
                "rds:DeleteDBInstance", "rds:DeleteDBParameterGroup", "rds:DeleteDBSubnetGroup", "rds:ModifyDBCluster",
                "rds:ModifyDBClusterParameterGroup", "rds:ModifyDBInstance", "rds:ModifyDBParameterGroup", "rds:ModifyDBSubnetGroup",
                "rds:RemoveTagsFromResource", "rds:ResetDBClusterParameterGroup", "rds:ResetDBParameterGroup",
              ]
              Resource = flatten([
                for store in local.data_store_names[environment].rds : [
                  for type in concat(local.rds_types, ["cluster-snapshot"]) : [
                    "${local.places[environment].rds}:${type}:${store.database_cluster}",
                    "${local.places[environment].rds}:${type}:${store.database_cluster}-*",
                  ]
                ]
              ])
            },
            {
              Effect = "Allow"
              Action = [
                "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
              ]
              Resource = ["${local.places[environment].secretsmanager}:secret:${environment}/${names.names.ecs_service}/*"]
            },
            {
              # RDS makes the password's secret on behalf of whoever makes the cluster.
              Effect   = "Allow"
              Action   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
              Resource = ["${local.places[environment].secretsmanager}:secret:rds!cluster-*"]
            },
            {
              # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
              Effect   = "Allow"
              Action   = ["kms:DescribeKey"]
              Resource = ["${local.places[environment].kms}:key/*"]
            },
          ] : statement if contains(local.data_store_services, "rds")],
          [for statement in [
            {
              Effect = "Allow"
              Action = [
                "elasticache:AddTagsToResource", "elasticache:CreateCacheCluster", "elasticache:CreateCacheParameterGroup",
                "elasticache:CreateCacheSubnetGroup", "elasticache:CreateReplicationGroup", "elasticache:DecreaseReplicaCount",
                "elasticache:DeleteCacheCluster", "elasticache:DeleteCacheParameterGroup", "elasticache:DeleteCacheSubnetGroup",
                "elasticache:DeleteReplicationGroup", "elasticache:IncreaseReplicaCount", "elasticache:ModifyCacheCluster",
                "elasticache:ModifyCacheParameterGroup", "elasticache:ModifyCacheSubnetGroup", "elasticache:ModifyReplicationGroup",
                "elasticache:RemoveTagsFromResource", "elasticache:ResetCacheParameterGroup",
              ]
              Resource = concat(
                flatten([
                  for store in local.data_store_names[environment].elasticache : [
                    for type in local.elasticache_types : [
                      "${local.places[environment].elasticache}:${type}:${store.cache_cluster}",
                      "${local.places[environment].elasticache}:${type}:${store.cache_cluster}-*",
                    ]
                  ]
                ]),
                ["${local.places[environment].elasticache}:parametergroup:default*"],
              )
            },
            {
              # None of these allows anything finer.
              # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Logging-destinations.html
              Effect = "Allow"
              Action = [
                "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
                "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
              ]
              Resource = ["*"]
            },
          ] : statement if contains(local.data_store_services, "elasticache")],
          [for statement in [
            {
              Effect = "Allow"
              Action = [
                "es:AddTags", "es:CreateDomain", "es:DeleteDomain", "es:RemoveTags", "es:UpdateDomainConfig", "es:UpgradeDomain",
              ]
              Resource = [for store in local.data_store_names[environment].es : "${local.places[environment].es}:domain/${store.search_domain}"]
            },
          ] : statement if contains(local.data_store_services, "es")],
        )
      } : idea => statements if length(local.data_store_services) > 0 },
    )
  }
}
