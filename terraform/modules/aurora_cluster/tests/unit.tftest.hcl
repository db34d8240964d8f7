# Planned only: terraform test cannot apply without an ephemeral variable that is not given.
mock_provider "aws" {
  source          = "../../testing"
  override_during = plan
}

override_resource {
  target          = aws_rds_cluster.this
  override_during = plan
  values = {
    endpoint            = "db.example"
    cluster_resource_id = "cluster-ABC"
    master_user_secret = [{
      kms_key_id    = "aws/secretsmanager"
      secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1"
      secret_status = "active"
    }]
  }
}

variables {
  environment           = "prod"
  product               = "duolingo"
  service               = "api"
  owner                 = "Learning Team"
  vpc_id                = "vpc-1"
  private_subnet_ids    = ["subnet-1", "subnet-2", "subnet-3"]
  subservice            = "db"
  engine                = "aurora-postgresql"
  name                  = "words"
  instance_class        = "db.r6g.large"
  num_cluster_instances = 2

  allowed_security_group_ids = ["sg-1"]
  playbook_url               = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
  emergency_topic_arn        = "arn:aws:sns:us-east-1:123456789012:emergency"
  warning_topic_arn          = "arn:aws:sns:us-east-1:123456789012:warning"
}

run "in_production" {
  command = plan

  assert {
    condition = (
      aws_rds_cluster.this.cluster_identifier == "duolingo-api-db-prod"
      && [for instance in aws_rds_cluster_instance.this : instance.identifier] == ["duolingo-api-db-prod-1", "duolingo-api-db-prod-2"]
      && aws_rds_cluster.this.database_name == "words"
      && aws_rds_cluster.this.port == 5432
    )
    error_message = "cluster and instances are named after the data store"
  }
  assert {
    condition = (
      aws_rds_cluster.this.storage_encrypted
      && aws_rds_cluster.this.iam_database_authentication_enabled
      && aws_rds_cluster.this.manage_master_user_password
      && aws_rds_cluster.this.master_password == null
      && aws_rds_cluster.this.copy_tags_to_snapshot
      && aws_rds_cluster.this.backup_retention_period == 7
      && alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible && instance.ca_cert_identifier == "rds-ca-rsa2048-g1"])
    )
    error_message = "the cluster is secure by default"
  }
  assert {
    condition = (
      aws_rds_cluster.this.deletion_protection
      && !aws_rds_cluster.this.skip_final_snapshot
      && aws_rds_cluster.this.final_snapshot_identifier == "duolingo-api-db-prod-final"
      && !aws_rds_cluster.this.delete_automated_backups
      && !aws_rds_cluster.this.apply_immediately
    )
    error_message = "production is not deleted or interrupted by mistake"
  }
  assert {
    condition = (
      aws_rds_cluster_parameter_group.this.name == "duolingo-api-db-prod-aurora-postgresql16"
      && { for parameter in aws_rds_cluster_parameter_group.this.parameter : parameter.name => parameter.value } == {
        "rds.force_ssl"              = "1"
        "log_min_duration_statement" = "1000"
        "log_lock_waits"             = "1"
        "log_statement"              = "ddl"
      }
      && aws_rds_cluster.this.db_cluster_parameter_group_name == "duolingo-api-db-prod-aurora-postgresql16"
    )
    error_message = "connections are encrypted, and slow statements are logged"
  }
  assert {
    condition = (
      aws_rds_cluster.this.enabled_cloudwatch_logs_exports == toset(["postgresql"])
      && aws_cloudwatch_log_group.this["postgresql"].name == "/aws/rds/cluster/duolingo-api-db-prod/postgresql"
      && aws_cloudwatch_log_group.this["postgresql"].retention_in_days == 30
      && alltrue([for instance in aws_rds_cluster_instance.this : instance.performance_insights_enabled && instance.monitoring_interval == 60])
    )
    error_message = "the cluster can be looked into"
  }
  assert {
    condition     = aws_rds_cluster.this.tags == output.tags && aws_rds_cluster_instance.this[0].tags == output.tags && output.tags.subservice == "db"
    error_message = "everything is billed, by subservice too"
  }
  assert {
    condition = (
      output.credentials == output.master_user_secret_arn
      && output.url == "postgresql://${output.endpoint}:5432/words"
      && jsondecode(output.task_policy_json).Statement == [
        { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = [output.master_user_secret_arn] },
      ]
    )
    error_message = "a service signs in by the secret"
  }
  assert {
    condition     = output.alarm_names["aurora-no-writer"] == "duolingo-api-db-prod/data-store-aurora-no-writer" && contains(keys(output.alarm_names), "aurora-replica-lag")
    error_message = "the alarms are called after the data store"
  }
}

run "named_by_the_caller" {
  command = plan

  variables {
    environment           = "dev"
    engine                = "aurora-mysql"
    cluster_identifier    = "words"
    identifier            = "words-instance"
    num_cluster_instances = 1
  }

  assert {
    condition     = aws_rds_cluster.this.cluster_identifier == "words" && aws_rds_cluster_instance.this[0].identifier == "words-instance-1" && output.port == 3306
    error_message = "the caller's names are taken"
  }
  assert {
    condition = (
      !aws_rds_cluster.this.deletion_protection
      && aws_rds_cluster.this.skip_final_snapshot
      && aws_rds_cluster.this.delete_automated_backups
      && aws_rds_cluster.this.apply_immediately
    )
    error_message = "other environments come and go"
  }
  assert {
    condition = (
      aws_rds_cluster_parameter_group.this.name == "words-aurora-mysql8-0"
      && aws_rds_cluster_parameter_group.this.family == "aurora-mysql8.0"
      && { for parameter in aws_rds_cluster_parameter_group.this.parameter : parameter.name => parameter.value }.require_secure_transport == "ON"
      && keys(aws_cloudwatch_log_group.this) == ["error", "slowquery"]
      && startswith(output.url, "mysql://")
    )
    error_message = "MySQL is set up in the same way"
  }
  assert {
    condition     = !contains(keys(output.alarm_names), "aurora-replica-lag")
    error_message = "one instance has no reader to lag behind"
  }
}

run "with_the_callers_password" {
  command = plan

  variables {
    password         = "correct horse battery"
    password_version = 1
    kms_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  }

  assert {
    condition = (
      aws_rds_cluster.this.manage_master_user_password == null
      && aws_rds_cluster.this.master_password == null
      && aws_rds_cluster.this.master_password_wo_version == 1
    )
    error_message = "Secrets Manager makes no other password"
  }
  assert {
    condition     = output.credentials == "url" && output.task_policy_json == null && output.master_user_secret_arn == null
    error_message = "a service cannot read the password"
  }
}

run "with_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  }

  assert {
    condition = (
      aws_rds_cluster.this.kms_key_id == var.kms_key_arn
      && aws_rds_cluster.this.master_user_secret_kms_key_id == var.kms_key_arn
      && aws_rds_cluster_instance.this[0].performance_insights_kms_key_id == var.kms_key_arn
    )
    error_message = "the key is used for all"
  }
  assert {
    condition = jsondecode(output.task_policy_json).Statement[1] == {
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [var.kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.us-east-1.amazonaws.com" } }
    }
    error_message = "a service may open the secret, and nothing else, with the key"
  }
}

run "by_iam" {
  command = plan

  variables {
    iam_user = "api"
  }

  assert {
    condition = (
      output.credentials == "iam"
      && output.url == "postgresql://api@db.example:5432/words"
      && jsondecode(output.task_policy_json).Statement == [
        { Effect = "Allow", Action = ["rds-db:connect"], Resource = ["arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/api"] },
      ]
    )
    error_message = "a service may sign in as its user, and has no password"
  }
}

run "serverless" {
  command = plan

  variables {
    instance_class      = "db.serverless"
    serverless_capacity = { min = 0.5, max = 8 }
  }

  assert {
    condition     = aws_rds_cluster.this.serverlessv2_scaling_configuration[0].min_capacity == 0.5 && aws_rds_cluster.this.serverlessv2_scaling_configuration[0].max_capacity == 8
    error_message = "the capacity is the caller's"
  }
  assert {
    # 16 GiB.
    condition     = local.measures["aurora-memory-low"].threshold == floor(16 * pow(1024, 3) * 0.05) && local.measures["aurora-connections-high"].threshold == floor(16 * pow(1024, 3) / 9531392 * 0.8)
    error_message = "thresholds follow from the most capacity"
  }
}

run "thresholds_follow_from_the_class" {
  command = plan

  variables {
    instance_class = "db.x2g.4xlarge"
    parameters     = { max_connections = { value = "300", apply_method = "pending-reboot" } }
  }

  assert {
    condition     = local.memory == 256 && local.measures["aurora-connections-high"].threshold == 240
    error_message = "memory is that of the class, and connections are those that the caller allows"
  }
}

run "thresholds_of_a_small_mysql" {
  command = plan

  variables {
    engine         = "aurora-mysql"
    instance_class = "db.t3.medium"
  }

  assert {
    # AWS allows 90: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html
    condition     = local.measures["aurora-connections-high"].threshold < 90 && local.measures["aurora-connections-high"].threshold > 60
    error_message = "connections follow from AWS's formula"
  }
  assert {
    condition     = !aws_rds_cluster_instance.this[0].performance_insights_enabled
    error_message = "the class has no Performance Insights"
  }
}

run "thresholds_of_an_xlarge" {
  command = plan

  variables {
    instance_class = "db.r6g.xlarge"
  }

  assert {
    condition     = local.memory == 32
    error_message = "xlarge is twice large"
  }
}

run "another_major_version" {
  command = plan

  variables {
    engine_version              = "17.4"
    allow_major_version_upgrade = true
  }

  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-postgresql17" && aws_rds_cluster.this.db_instance_parameter_group_name == "duolingo-api-db-prod-aurora-postgresql17"
    error_message = "parameter groups follow the version"
  }
}

run "mysql_by_its_own_number" {
  command = plan
  variables {
    engine         = "aurora-mysql"
    engine_version = "8.4.7"
  }

  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-mysql8.4" && aws_rds_cluster_parameter_group.this.name == "duolingo-api-db-prod-aurora-mysql8-4"
    error_message = "from 8.4 on the family follows from MySQL's number"
  }
}

run "refuses_an_old_form_of_a_new_version" {
  command = plan
  variables {
    engine         = "aurora-mysql"
    engine_version = "8.4.mysql_aurora.3.08.0"
  }
  expect_failures = [var.engine_version]
}

run "warns_of_an_old_generation" {
  command = plan

  variables {
    instance_class = "db.r4.large"
  }

  expect_failures = [check.generation]
}

run "refuses_a_cluster_identifier_with_two_hyphens" {
  command = plan
  variables {
    cluster_identifier = "words--db"
  }
  expect_failures = [var.cluster_identifier]
}

run "refuses_an_identifier_in_upper_case" {
  command = plan
  variables {
    identifier = "Words"
  }
  expect_failures = [var.identifier]
}

run "refuses_an_engine_that_is_not_aurora" {
  command = plan
  variables {
    engine = "postgres"
  }
  expect_failures = [var.engine]
}

run "refuses_a_database_name_with_a_hyphen" {
  command = plan
  variables {
    name = "my-words"
  }
  expect_failures = [var.name]
}

run "refuses_an_instance_class_without_aurora" {
  command = plan
  variables {
    instance_class = "db.m6g.large"
  }
  expect_failures = [var.instance_class]
}

run "refuses_no_instances" {
  command = plan
  variables {
    num_cluster_instances = 0
  }
  expect_failures = [var.num_cluster_instances]
}

run "refuses_a_long_user_name" {
  command = plan
  variables {
    master_username = "administrator_of_words"
  }
  expect_failures = [var.master_username]
}

run "refuses_no_backups" {
  command = plan
  variables {
    backup_retention_days = 0
  }
  expect_failures = [var.backup_retention_days]
}

run "refuses_a_cluster_identifier_with_no_room_for_instances" {
  command = plan
  variables {
    cluster_identifier = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }
  expect_failures = [var.cluster_identifier]
}

run "refuses_a_version_of_the_other_engine" {
  command = plan
  variables {
    engine_version = "8.0.mysql_aurora.3.08.0"
  }
  expect_failures = [var.engine_version]
}

run "refuses_a_database_of_the_engine" {
  command = plan
  variables {
    name = "postgres"
  }
  expect_failures = [var.name]
}

run "refuses_capacity_without_serverless" {
  command = plan
  variables {
    serverless_capacity = { min = 1, max = 2 }
  }
  expect_failures = [var.serverless_capacity]
}

run "refuses_serverless_without_capacity" {
  command = plan
  variables {
    instance_class = "db.serverless"
  }
  expect_failures = [var.serverless_capacity]
}

run "refuses_capacity_upside_down" {
  command = plan
  variables {
    serverless_capacity = { min = 4, max = 2 }
    instance_class      = "db.serverless"
  }
  expect_failures = [var.serverless_capacity]
}

run "refuses_a_reserved_user_name" {
  command = plan
  variables {
    master_username = "admin"
  }
  expect_failures = [var.master_username]
}

run "refuses_a_password_with_an_at_sign" {
  command = plan
  variables {
    password         = "correct@horse"
    password_version = 1
  }
  expect_failures = [var.password]
}

run "refuses_a_password_without_its_version" {
  command = plan
  variables {
    password = "correct horse battery"
  }
  expect_failures = [var.password_version]
}

run "refuses_a_version_of_no_password" {
  command = plan
  variables {
    password_version = 1
  }
  expect_failures = [var.password_version]
}

run "refuses_a_password_version_of_zero" {
  command = plan
  variables {
    password_version = 0
    password         = "correct horse battery"
  }
  expect_failures = [var.password_version]
}

run "refuses_the_master_user_for_services" {
  command = plan
  variables {
    iam_user = "dbadmin"
  }
  expect_failures = [var.iam_user]
}

run "refuses_the_name_of_a_key" {
  command = plan
  variables {
    kms_key_arn = "alias/words"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_connections_in_the_clear" {
  command = plan
  variables {
    parameters = { "rds.force_ssl" = { value = "0" } }
  }
  expect_failures = [var.parameters]
}

run "refuses_an_unknown_apply_method" {
  command = plan
  variables {
    parameters = { work_mem = { value = "65536", apply_method = "now" } }
  }
  expect_failures = [var.parameters]
}

run "refuses_slow_queries_of_no_time" {
  command = plan
  variables {
    slow_query_milliseconds = 0
  }
  expect_failures = [var.slow_query_milliseconds]
}

run "refuses_a_backup_at_no_time" {
  command = plan
  variables {
    backup_window = "3am"
  }
  expect_failures = [var.backup_window]
}

run "refuses_maintenance_on_no_day" {
  command = plan
  variables {
    maintenance_window = "04:00-05:00"
  }
  expect_failures = [var.maintenance_window]
}
