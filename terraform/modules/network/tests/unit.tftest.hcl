mock_provider "aws" {
  source = "../../testing"
}

variables {
  environment        = "prod"
  owner              = "Platform Team"
  availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

run "three_zones" {
  assert {
    condition = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == {
      us-east-1a = "10.0.0.0/20"
      us-east-1b = "10.0.16.0/20"
      us-east-1c = "10.0.32.0/20"
    }
    error_message = "each zone has its own private addresses"
  }
  assert {
    condition = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == {
      us-east-1a = "10.0.128.0/20"
      us-east-1b = "10.0.144.0/20"
      us-east-1c = "10.0.160.0/20"
    }
    error_message = "each zone has its own public addresses"
  }
  assert {
    condition     = toset(keys(aws_nat_gateway.this)) == toset(var.availability_zones) && alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "zones fail separately, and nothing gets a public address unasked"
  }
  assert {
    condition     = aws_vpc.this.tags == tomap(merge(output.tags, { Name = "platform-network-prod" })) && output.tags.product == "platform"
    error_message = "the network is billed to the platform"
  }
  assert {
    condition     = length(aws_vpc_endpoint_route_table_association.this) == 6
    error_message = "each zone reaches S3 and DynamoDB directly"
  }
  assert {
    condition     = one(aws_cloudwatch_log_group.this).retention_in_days == 30
    error_message = "flow logs are kept for 30 days"
  }
}

run "without_the_zone_in_the_middle" {
  variables {
    availability_zones = ["us-east-1c", "us-east-1a"]
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { us-east-1a = "10.0.0.0/20", us-east-1c = "10.0.32.0/20" }
    error_message = "the other zones keep their addresses"
  }
}

run "cheap" {
  variables {
    cidr_block              = "10.8.0.0/22"
    single_nat_gateway      = true
    flow_log_retention_days = null
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a"] && length(aws_route.nat) == 3
    error_message = "all zones share the first one's NAT gateway"
  }
  assert {
    condition     = aws_subnet.private["us-east-1b"].cidr_block == "10.8.0.64/26"
    error_message = "a subnet is a sixteenth of the network"
  }
  assert {
    condition     = length(aws_flow_log.this) == 0 && length(aws_iam_role.this) == 0
    error_message = "flow logs can be left out"
  }
}

run "refuses_one_zone" {
  command = plan
  variables {
    availability_zones = ["us-east-1a"]
  }
  expect_failures = [var.availability_zones]
}

run "refuses_a_local_zone" {
  command = plan
  variables {
    availability_zones = ["us-east-1-bos-1a", "us-east-1-bos-1b"]
  }
  expect_failures = [var.availability_zones]
}

run "refuses_zones_of_two_regions" {
  command = plan
  variables {
    availability_zones = ["us-east-1a", "us-east-2b"]
  }
  expect_failures = [var.availability_zones]
}

run "refuses_a_small_network" {
  command = plan
  variables {
    cidr_block = "10.0.0.0/24"
  }
  expect_failures = [var.cidr_block]
}

run "refuses_an_address_inside_the_network" {
  command = plan
  variables {
    cidr_block = "10.0.1.0/16"
  }
  expect_failures = [var.cidr_block]
}

run "refuses_a_retention_that_is_not_offered" {
  command = plan
  variables {
    flow_log_retention_days = 31
  }
  expect_failures = [var.flow_log_retention_days]
}
