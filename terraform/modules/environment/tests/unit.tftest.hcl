mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = module.ecs_cluster.data.aws_ssm_parameter.image
    values = { insecure_value = "ami-0123456789abcdef0" }
  }
}

variables {
  environment        = "prod"
  owner              = "Platform Team"
  availability_zones = ["us-east-1a", "us-east-1b"]
  repositories_url   = "https://github.com/duolingo"
  certificate_arn    = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
}

run "everything_is_made_and_published" {
  assert {
    condition     = toset(keys(output.look_up)) == toset(keys(module.names.contract.look_up))
    error_message = "services find all that the contract lists"
  }
  assert {
    condition     = aws_ssm_parameter.this["vpc_id"].name == "/platform/prod/vpc_id" && aws_ssm_parameter.this["vpc_id"].type == "String"
    error_message = "a parameter has the contract's name"
  }
  assert {
    condition     = aws_ssm_parameter.this["private_subnet_ids"].type == "StringList" && length(split(",", aws_ssm_parameter.this["private_subnet_ids"].insecure_value)) == 2
    error_message = "subnets are a list"
  }
  assert {
    condition     = aws_ssm_parameter.this["sentry_url"].insecure_value == "none"
    error_message = "no Sentry is said by a word, because a parameter cannot be empty"
  }
  assert {
    condition     = output.ecs_cluster == "prod" && output.domain == "prod.internal"
    error_message = "the cluster is called after the environment"
  }
  assert {
    condition     = toset(keys(output.load_balancer_dns_names)) == toset(["internal", "external"])
    error_message = "there is a load balancer for each kind of caller"
  }
}

run "in_a_network_that_is_there" {
  variables {
    external_load_balancer = false
    certificate_arn        = null
    cluster                = "jobs"
    network = {
      vpc_id             = "vpc-1"
      cidr_blocks        = ["10.0.0.0/16"]
      private_subnet_ids = { us-east-1a = "subnet-1", us-east-1b = "subnet-2", us-east-1c = "subnet-3" }
      public_subnet_ids  = { us-east-1a = "subnet-4", us-east-1b = "subnet-5", us-east-1c = "subnet-6" }
    }
  }

  assert {
    condition     = output.look_up.vpc_id == "vpc-1" && output.look_up.private_subnet_ids == "subnet-1,subnet-2" && output.nat_addresses == null
    error_message = "the network that was given is published, in the zones of the list"
  }
  assert {
    condition     = !contains(keys(output.look_up), "external_load_balancer_listener_arn")
    error_message = "what is not there is not published"
  }
  assert {
    condition     = output.ecs_cluster == "jobs"
    error_message = "the cluster can have another name"
  }
}

run "refuses_a_zone_that_the_network_is_not_in" {
  command = plan
  variables {
    network = {
      vpc_id             = "vpc-1"
      cidr_blocks        = ["10.0.0.0/16"]
      private_subnet_ids = { us-east-1a = "subnet-1", us-east-1b = "subnet-2" }
      public_subnet_ids  = { us-east-1a = "subnet-4" }
    }
  }
  expect_failures = [var.availability_zones]
}

run "a_zone_that_is_left" {
  variables {
    leaving_zones = ["us-east-1c"]
  }

  assert {
    condition     = toset(keys(module.network[0].private_subnet_ids)) == toset(["us-east-1a", "us-east-1b", "us-east-1c"])
    error_message = "its subnets stay"
  }
  assert {
    condition = (
      aws_ssm_parameter.this["private_subnet_ids"].insecure_value == join(",", [for zone in var.availability_zones : module.network[0].private_subnet_ids[zone]])
      && aws_ssm_parameter.this["public_subnet_ids"].insecure_value == join(",", [for zone in var.availability_zones : module.network[0].public_subnet_ids[zone]])
    )
    error_message = "nothing new starts there"
  }
}

run "refuses_a_zone_that_is_both_used_and_left" {
  command = plan
  variables {
    leaving_zones = ["us-east-1b"]
  }
  expect_failures = [var.leaving_zones]
}

run "refuses_to_keep_subnets_of_a_network_that_is_there" {
  command = plan
  variables {
    leaving_zones = ["us-east-1c"]
    network = {
      vpc_id             = "vpc-1"
      cidr_blocks        = ["10.0.0.0/16"]
      private_subnet_ids = { us-east-1a = "subnet-1", us-east-1b = "subnet-2" }
      public_subnet_ids  = { us-east-1a = "subnet-3", us-east-1b = "subnet-4" }
    }
  }
  expect_failures = [var.leaving_zones]
}

run "refuses_repositories_in_the_clear" {
  command = plan
  variables {
    repositories_url = "http://git.example.com"
  }
  expect_failures = [var.repositories_url]
}

run "refuses_a_sentry_with_a_slash_too_many" {
  command = plan
  variables {
    sentry_url = "https://duolingo.sentry.io/"
  }
  expect_failures = [var.sentry_url]
}

run "refuses_an_external_load_balancer_without_certificate" {
  command = plan
  variables {
    certificate_arn = null
  }
  expect_failures = [var.external_load_balancer]
}
