# What a service needs to sign in: as a user of its own by IAM, or else as the master user by its secret.
locals {
  master_user_secret_arn = one(aws_rds_cluster.this.master_user_secret[*].secret_arn)
  by_secret              = var.iam_user == null && local.managed_password

  task_statements = concat(
    [
      for user in var.iam_user[*] : {
        Effect   = "Allow"
        Action   = ["rds-db:connect"]
        Resource = ["arn:${local.partition}:rds-db:${local.region}:${local.account_id}:dbuser:${aws_rds_cluster.this.cluster_resource_id}/${user}"]
      }
    ],
    [
      for secret in [local.master_user_secret_arn] : {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [secret]
      }
      if local.by_secret
    ],
    [
      for key in var.kms_key_arn[*] : {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [key]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.${data.aws_partition.this.dns_suffix}" } }
      }
      if local.by_secret
    ],
  )
}
