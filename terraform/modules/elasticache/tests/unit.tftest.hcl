mock_provider "aws" {
  source = "../../testing"
}

variables {
  environment        = "prod"
  product            = "duolingo"
  service            = "api"
  owner              = "Learning Team"
  vpc_id             = "vpc-1"
  private_subnet_ids = ["subnet-1", "subnet-2", "subnet-3"]
  subservice         = "cache"
  engine             = "redis"

  allowed_security_group_ids = ["sg-1"]
  playbook_url               = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
  emergency_topic_arn        = "arn:aws:sns:us-east-1:123456789012:emergency"
  warning_topic_arn          = "arn:aws:sns:us-east-1:123456789012:warning"
}

run "redis" {
  assert {
    condition = (
      aws_elasticache_replication_group.this[0].replication_group_id == "duolingo-api-cache-prod"
      && aws_elasticache_replication_group.this[0].at_rest_encryption_enabled == "true"
      && aws_elasticache_replication_group.this[0].transit_encryption_enabled
      && aws_elasticache_replication_group.this[0].automatic_failover_enabled
      && aws_elasticache_replication_group.this[0].multi_az_enabled
      && output.port == 6379
    )
    error_message = "redis is encrypted and fails over"
  }
  assert {
    condition     = length(aws_elasticache_cluster.this) == 0 && aws_elasticache_replication_group.this[0].tags == output.tags
    error_message = "there is one cache, and it is billed"
  }
  assert {
    condition = (
      aws_elasticache_parameter_group.this.name == "duolingo-api-cache-prod-redis7"
      && { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value } == { "maxmemory-policy" = "volatile-lru" }
      && aws_elasticache_replication_group.this[0].snapshot_retention_limit == 7
      && aws_elasticache_replication_group.this[0].final_snapshot_identifier == "duolingo-api-cache-prod-final"
      && !aws_elasticache_replication_group.this[0].apply_immediately
    )
    error_message = "production keeps snapshots, and is not interrupted by mistake"
  }
  assert {
    condition = (
      { for delivery in aws_elasticache_replication_group.this[0].log_delivery_configuration : delivery.log_type => delivery.destination }
      == { engine-log = "/elasticache/prod/duolingo-api-cache/engine", slow-log = "/elasticache/prod/duolingo-api-cache/slow" }
    )
    error_message = "slow commands are logged"
  }
  assert {
    condition     = output.url == "rediss://master.mock.use1.cache.amazonaws.com:6379"
    error_message = "clients connect by TLS"
  }
  assert {
    condition = (
      [for metric in values(local.measures["redis-cpu-high"].metrics) : metric.dimensions.CacheClusterId] == ["mock-001", "mock-002"]
      && output.alarm_names["redis-no-primary"] == "duolingo-api-cache-prod/data-store-redis-no-primary"
    )
    error_message = "every node is watched"
  }
}

run "elsewhere" {
  variables {
    environment = "dev"
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this[0].snapshot_retention_limit == 0
      && aws_elasticache_replication_group.this[0].final_snapshot_identifier == null
      && aws_elasticache_replication_group.this[0].apply_immediately
    )
    error_message = "other environments come and go"
  }
}

run "as_the_caller_says" {
  variables {
    engine_version          = "6.2"
    maxmemory_policy        = "noeviction"
    parameters              = { timeout = "300" }
    snapshot_retention_days = 3
    kms_key_arn             = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    user_group_id           = "words"
  }

  assert {
    condition = (
      aws_elasticache_parameter_group.this.family == "redis6.x"
      && aws_elasticache_parameter_group.this.name == "duolingo-api-cache-prod-redis6-x"
      && { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value } == { "maxmemory-policy" = "noeviction", timeout = "300" }
    )
    error_message = "parameters are the caller's, in a group of the version"
  }
  assert {
    condition = (
      aws_elasticache_replication_group.this[0].snapshot_retention_limit == 3
      && aws_elasticache_replication_group.this[0].kms_key_id == var.kms_key_arn
      && aws_elasticache_replication_group.this[0].user_group_ids == toset(["words"])
    )
    error_message = "snapshots, key and users are the caller's"
  }
}

run "one_node" {
  variables {
    num_nodes = 1
  }

  assert {
    condition     = !aws_elasticache_replication_group.this[0].automatic_failover_enabled && !aws_elasticache_replication_group.this[0].multi_az_enabled
    error_message = "one node has none to fail over to"
  }
  assert {
    condition     = !contains(keys(output.alarm_names), "redis-replication-lag")
    error_message = "one node has no replica to lag behind"
  }
}

run "memcached" {
  variables {
    engine = "memcached"
  }

  assert {
    condition = (
      aws_elasticache_cluster.this[0].cluster_id == "duolingo-api-cache-prod"
      && aws_elasticache_cluster.this[0].transit_encryption_enabled
      && aws_elasticache_cluster.this[0].az_mode == "cross-az"
      && aws_elasticache_cluster.this[0].tags == output.tags
      && output.port == 11211
    )
    error_message = "memcached is encrypted in transit and spread"
  }
  assert {
    condition     = length(aws_elasticache_replication_group.this) == 0 && output.reader_endpoint == null
    error_message = "there is one cache"
  }
  assert {
    condition = (
      aws_elasticache_parameter_group.this.family == "memcached1.6"
      && length(aws_elasticache_parameter_group.this.parameter) == 0
      && length(aws_cloudwatch_log_group.this) == 0
      && keys(output.alarm_names) == ["memcached-cpu-high", "memcached-down", "memcached-evictions", "memcached-swap"]
    )
    error_message = "what is redis's own is left out"
  }
}

run "refuses_an_unknown_engine" {
  command = plan
  variables {
    engine = "valkey"
  }
  expect_failures = [var.engine]
}

run "refuses_a_node_type_of_ec2" {
  command = plan
  variables {
    node_type = "t4g.small"
  }
  expect_failures = [var.node_type]
}

run "refuses_more_replicas_than_redis_has" {
  command = plan
  variables {
    num_nodes = 7
  }
  expect_failures = [var.num_nodes]
}

run "refuses_memcached_in_the_clear" {
  command = plan
  variables {
    engine_version = "1.6.6"
    engine         = "memcached"
  }
  expect_failures = [var.engine_version]
}

run "refuses_an_unknown_policy" {
  command = plan
  variables {
    maxmemory_policy = "lru"
  }
  expect_failures = [var.maxmemory_policy]
}

run "refuses_a_policy_among_the_parameters" {
  command = plan
  variables {
    parameters = { "maxmemory-policy" = "noeviction" }
  }
  expect_failures = [var.parameters]
}

run "refuses_snapshots_of_memcached" {
  command = plan
  variables {
    snapshot_retention_days = 1
    engine                  = "memcached"
  }
  expect_failures = [var.snapshot_retention_days]
}

run "refuses_a_snapshot_at_no_time" {
  command = plan
  variables {
    snapshot_window = "3am"
  }
  expect_failures = [var.snapshot_window]
}

run "refuses_maintenance_on_no_day" {
  command = plan
  variables {
    maintenance_window = "04:00-05:00"
  }
  expect_failures = [var.maintenance_window]
}

run "refuses_the_name_of_a_key" {
  command = plan
  variables {
    kms_key_arn = "alias/words"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_users_of_memcached" {
  command = plan
  variables {
    user_group_id = "words"
    engine        = "memcached"
  }
  expect_failures = [var.user_group_id]
}
