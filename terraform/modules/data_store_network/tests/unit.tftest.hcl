mock_provider "aws" {
  source = "../../testing"
}

run "names" {
  command = plan

  variables {
    product     = "duolingo"
    service     = "api"
    subservice  = "db"
    environment = "prod"
    owner       = "Learning Team"
  }

  module {
    source = "../names"
  }
}

run "admits_the_given_groups_only" {
  variables {
    identity                   = run.names
    vpc_id                     = "vpc-1"
    private_subnet_ids         = ["subnet-1", "subnet-2"]
    port                       = 5432
    allowed_security_group_ids = ["sg-1", "sg-2"]
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.this : [rule.referenced_security_group_id, rule.from_port, rule.to_port]] == [["sg-1", 5432, 5432], ["sg-2", 5432, 5432]]
    error_message = "each group is admitted to the port"
  }
  assert {
    condition     = aws_security_group.this.name == "duolingo-api-db-prod/data-store" && aws_security_group.this.tags == run.names.tags
    error_message = "the group is named and billed after the data store"
  }
  assert {
    condition     = output.private_subnet_ids == tolist(["subnet-1", "subnet-2"])
    error_message = "the given subnets are taken"
  }
}

run "looks_up_the_rest" {
  command = plan

  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["private_subnet_ids"]
    values = { insecure_value = "subnet-3,subnet-4" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["cluster_security_group_id"]
    values = { insecure_value = "sg-3" }
  }

  variables {
    identity = run.names
    port     = 5432
  }

  assert {
    condition     = output.private_subnet_ids == tolist(["subnet-3", "subnet-4"]) && [for rule in aws_vpc_security_group_ingress_rule.this : rule.referenced_security_group_id] == ["sg-3"]
    error_message = "the subnets are found, and the cluster's instances are admitted"
  }
}

run "admits_nobody" {
  command = plan

  variables {
    identity                   = run.names
    vpc_id                     = "vpc-1"
    private_subnet_ids         = ["subnet-1"]
    port                       = 5432
    allowed_security_group_ids = []
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 0
    error_message = "an empty list admits nobody"
  }
}
