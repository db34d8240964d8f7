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
  subservice         = "search"

  allowed_security_group_ids = ["sg-1"]
  playbook_url               = "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
  emergency_topic_arn        = "arn:aws:sns:us-east-1:123456789012:emergency"
  warning_topic_arn          = "arn:aws:sns:us-east-1:123456789012:warning"
}

run "secure_by_default" {
  assert {
    condition     = aws_opensearch_domain.this.domain_name == "duolingo-api-search-prod"
    error_message = "the domain is named after the data store"
  }
  assert {
    condition = (
      aws_opensearch_domain.this.encrypt_at_rest[0].enabled
      && aws_opensearch_domain.this.node_to_node_encryption[0].enabled
      && aws_opensearch_domain.this.domain_endpoint_options[0].enforce_https
    )
    error_message = "the domain is encrypted at rest and in transit"
  }
  assert {
    condition     = aws_opensearch_domain.this.vpc_options[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_opensearch_domain.this.cluster_config[0].zone_awareness_enabled
    error_message = "two nodes are in two availability zones"
  }
  assert {
    condition     = aws_opensearch_domain.this.tags == output.tags
    error_message = "everything is billed"
  }
  assert {
    condition = (
      jsondecode(aws_opensearch_domain.this.access_policies).Statement[0].Principal == { AWS = "arn:aws:iam::123456789012:root" }
      && jsondecode(aws_opensearch_domain.this.access_policies).Statement[0].Resource == "arn:aws:es:us-east-1:123456789012:domain/duolingo-api-search-prod/*"
      && jsondecode(output.task_policy_json).Statement[0].Resource == ["${output.arn}/*"]
    )
    error_message = "only callers of the account, by a policy of their own"
  }
  assert {
    condition = (
      { for option in aws_opensearch_domain.this.log_publishing_options : option.log_type => option.cloudwatch_log_group_arn }
      == { for log, type in { application = "ES_APPLICATION_LOGS", index-slow = "INDEX_SLOW_LOGS", search-slow = "SEARCH_SLOW_LOGS" } : type => aws_cloudwatch_log_group.this[log].arn }
      && aws_cloudwatch_log_group.this["search-slow"].name == "/opensearch/prod/duolingo-api-search/search-slow"
    )
    error_message = "errors and slow requests are logged"
  }
  assert {
    condition = (
      !aws_opensearch_domain.this.cluster_config[0].dedicated_master_enabled
      && !contains(keys(output.alarm_names), "opensearch-no-master")
      && output.alarm_names["opensearch-red"] == "duolingo-api-search-prod/data-store-opensearch-red"
      && local.measures["opensearch-storage-low"].threshold == 5120
    )
    error_message = "what there is, is watched"
  }
}

run "in_three_zones" {
  variables {
    instance_count       = 6
    master_instance_type = "m7g.medium.search"
    kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  }

  assert {
    condition = (
      length(aws_opensearch_domain.this.vpc_options[0].subnet_ids) == 3
      && aws_opensearch_domain.this.cluster_config[0].zone_awareness_config[0].availability_zone_count == 3
    )
    error_message = "a multiple of three nodes is in three availability zones"
  }
  assert {
    condition = (
      aws_opensearch_domain.this.cluster_config[0].dedicated_master_count == 3
      && local.measures["opensearch-nodes-missing"].threshold == 9
      && contains(keys(output.alarm_names), "opensearch-no-master")
    )
    error_message = "masters are watched and counted"
  }
  assert {
    condition     = aws_opensearch_domain.this.encrypt_at_rest[0].kms_key_id == var.kms_key_arn && contains(keys(output.alarm_names), "opensearch-key-unavailable")
    error_message = "the key is the caller's, and watched"
  }
}

run "six_nodes_in_two_subnets" {
  variables {
    instance_count     = 6
    private_subnet_ids = ["subnet-1", "subnet-2"]
  }

  assert {
    condition     = aws_opensearch_domain.this.cluster_config[0].zone_awareness_config[0].availability_zone_count == 2
    error_message = "two subnets are two availability zones"
  }
}

run "one_node" {
  variables {
    instance_count = 1
  }

  assert {
    condition     = length(aws_opensearch_domain.this.vpc_options[0].subnet_ids) == 1 && !aws_opensearch_domain.this.cluster_config[0].zone_awareness_enabled
    error_message = "one node is in one availability zone"
  }
}

run "refuses_a_bare_version" {
  command = plan
  variables {
    engine_version = "2.19"
  }
  expect_failures = [var.engine_version]
}

run "refuses_an_instance_type_of_ec2" {
  command = plan
  variables {
    instance_type = "m7g.medium"
  }
  expect_failures = [var.instance_type]
}

run "refuses_unequal_shares" {
  command = plan
  variables {
    instance_count = 5
  }
  expect_failures = [var.instance_count]
}

run "refuses_a_small_disk" {
  command = plan
  variables {
    volume_size = 5
  }
  expect_failures = [var.volume_size]
}

run "refuses_too_few_subnets" {
  command = plan
  variables {
    private_subnet_ids = ["subnet-1"]
  }
  expect_failures = [aws_opensearch_domain.this]
}

run "refuses_a_generation_that_does_not_encrypt" {
  command = plan
  variables {
    instance_type = "t2.small.search"
  }
  expect_failures = [var.instance_type]
}

run "refuses_masters_of_ec2" {
  command = plan
  variables {
    master_instance_type = "m7g.medium"
  }
  expect_failures = [var.master_instance_type]
}

run "refuses_the_name_of_a_key" {
  command = plan
  variables {
    kms_key_arn = "alias/words"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_the_hour_24" {
  command = plan
  variables {
    off_peak_hour = 24
  }
  expect_failures = [var.off_peak_hour]
}

run "refuses_three_nodes_in_two_subnets" {
  command = plan
  variables {
    instance_count     = 3
    private_subnet_ids = ["subnet-1", "subnet-2"]
  }
  expect_failures = [aws_opensearch_domain.this]
}
