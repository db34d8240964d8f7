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
    instance_count = 3
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
