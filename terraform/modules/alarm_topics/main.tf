data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.id

  topics = {
    emergency = { name = module.names.names.emergency_topic, emails = var.emergency_emails }
    warning   = { name = module.names.names.warning_topic, emails = var.warning_emails }
  }
  topic_arns = { for severity, topic in local.topics : severity => "arn:${local.partition}:sns:${local.region}:${local.account_id}:${topic.name}" }

  emails = merge([
    for severity, topic in local.topics : {
      for address in topic.emails : "${severity}/${address}" => { severity = severity, address = address }
    }
  ]...)

  # Nobody else's alarms.
  own_alarms = {
    StringEquals = { "aws:SourceAccount" = local.account_id }
    ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:*" }
  }
}

module "names" {
  source = "../names"

  product     = "platform"
  service     = "alarms"
  environment = var.environment
  owner       = var.owner
}

# CloudWatch may not use the key that AWS manages for SNS, so an alarm could not publish to a topic encrypted with it.
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
resource "aws_kms_key" "this" {
  description             = "Alarm topics of ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountAdministersTheKey"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action = [
          "kms:CancelKeyDeletion",
          "kms:CreateAlias",
          "kms:CreateGrant",
          "kms:Decrypt",
          "kms:DeleteAlias",
          "kms:DescribeKey",
          "kms:DisableKey",
          "kms:DisableKeyRotation",
          "kms:EnableKey",
          "kms:EnableKeyRotation",
          "kms:GenerateDataKey",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListAliases",
          "kms:ListGrants",
          "kms:ListKeyPolicies",
          "kms:ListResourceTags",
          "kms:PutKeyPolicy",
          "kms:RevokeGrant",
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        # In the policy of a key, this is the key itself.
        # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
        Resource = "*"
      },
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = local.own_alarms
      },
    ]
  })

  tags = module.names.tags
}

resource "aws_kms_alias" "this" {
  name          = module.names.names.topic_key_alias
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_sns_topic" "this" {
  for_each = local.topics

  name              = each.value.name
  kms_master_key_id = aws_kms_key.this.arn

  tags = module.names.tags
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.topics

  arn = aws_sns_topic.this[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arns[each.key]
        Condition = local.own_alarms
      },
      {
        Sid       = "NobodyPublishesInTheClear"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sns:Publish"
        Resource  = local.topic_arns[each.key]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = local.emails

  topic_arn = aws_sns_topic.this[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.address

  # An address must not be asked to confirm a topic that alarms may not publish to.
  depends_on = [aws_sns_topic_policy.this]
}
