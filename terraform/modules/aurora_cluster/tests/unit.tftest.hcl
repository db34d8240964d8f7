mock_provider "aws" {
  source = "../../testing"
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
}

run "in_production" {
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
      && !aws_rds_cluster_instance.this[0].publicly_accessible
    )
    error_message = "the cluster is secure by default"
  }
  assert {
    condition = (
      aws_rds_cluster.this.deletion_protection
      && !aws_rds_cluster.this.skip_final_snapshot
      && aws_rds_cluster.this.final_snapshot_identifier == "duolingo-api-db-prod-final"
    )
    error_message = "production is not deleted by mistake"
  }
  assert {
    condition     = aws_rds_cluster.this.tags == output.tags && aws_rds_cluster_instance.this[0].tags == output.tags && output.tags.subservice == "db"
    error_message = "everything is billed, by subservice too"
  }
}

run "named_by_the_caller" {
  variables {
    environment        = "dev"
    engine             = "aurora-mysql"
    cluster_identifier = "words"
    identifier         = "words-instance"
  }

  assert {
    condition     = aws_rds_cluster.this.cluster_identifier == "words" && aws_rds_cluster_instance.this[1].identifier == "words-instance-2" && output.port == 3306
    error_message = "the caller's names are taken"
  }
  assert {
    condition     = !aws_rds_cluster.this.deletion_protection && aws_rds_cluster.this.skip_final_snapshot
    error_message = "other environments come and go"
  }
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

run "refuses_an_instance_class_of_ec2" {
  command = plan
  variables {
    instance_class = "r6g.large"
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
