mock_provider "aws" {
  source = "../../testing"

  override_data {
    target = data.aws_ssm_parameter.this
    values = {
      insecure_value = "found"
    }
  }
}

run "names" {
  command = plan

  variables {
    product     = "duolingo"
    service     = "api"
    environment = "prod"
    owner       = "Learning Team"
  }

  module {
    source = "../names"
  }
}

run "finds_what_is_not_given" {
  command = plan

  variables {
    identity = run.names
    given = {
      vpc_id            = "vpc-1"
      warning_topic_arn = null
    }
  }

  assert {
    condition     = output.values == tomap({ vpc_id = "vpc-1", warning_topic_arn = "found" })
    error_message = "what is given is taken, and the rest is found"
  }
  assert {
    condition     = [for parameter in data.aws_ssm_parameter.this : parameter.name] == ["/platform/prod/warning_topic_arn"]
    error_message = "only what is not given is looked up, by the contract's name"
  }
}

run "refuses_what_the_contract_does_not_know" {
  command = plan

  variables {
    identity = run.names
    given    = { moon_id = null }
  }

  expect_failures = [var.given]
}

run "refuses_an_empty_parameter" {
  command = plan

  override_data {
    target = data.aws_ssm_parameter.this
    values = {
      insecure_value = ""
    }
  }

  variables {
    identity = run.names
    given    = { vpc_id = null }
  }

  expect_failures = [output.values]
}

run "refuses_an_empty_one_given" {
  command = plan

  variables {
    identity = run.names
    given    = { vpc_id = "" }
  }

  expect_failures = [var.given]
}
