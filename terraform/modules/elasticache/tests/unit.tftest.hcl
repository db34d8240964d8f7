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
}

run "one_node" {
  variables {
    num_nodes = 1
  }

  assert {
    condition     = !aws_elasticache_replication_group.this[0].automatic_failover_enabled && !aws_elasticache_replication_group.this[0].multi_az_enabled
    error_message = "one node has none to fail over to"
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
