variables {
  product     = "duolingo"
  service     = "api"
  environment = "prod"
  owner       = "Learning Team"
}

run "service" {
  command = plan

  assert {
    condition     = output.names.ecs_service == "duolingo-api" && output.names.task_family == "duolingo-api-prod"
    error_message = "patterns are filled in"
  }
  assert {
    condition     = output.names.log_group == "/ecs/prod/duolingo-api"
    error_message = "the log group's name begins with the environment"
  }
  assert {
    condition     = !contains(keys(output.names), "database_cluster") && !contains(keys(output.names), "bucket")
    error_message = "a name is left out when a part of it is not given"
  }
  assert {
    condition = output.tags == tomap({
      environment  = "prod"
      product      = "duolingo"
      service      = "api"
      owner        = "Learning Team"
      "managed-by" = "terraform"
    })
    error_message = "the billing tags are the contract's"
  }
}

run "global_names" {
  command = plan

  variables {
    account_id = "123456789012"
    region     = "us-east-1"
  }

  assert {
    condition     = output.names.bucket == "duolingo-api-prod-123456789012-us-east-1"
    error_message = "a global name holds account and region"
  }
}

run "data_store" {
  command = plan

  variables {
    subservice = "a-b"
  }

  assert {
    condition     = output.names.database_cluster == "duolingo-api-a-b-prod-2"
    error_message = "a subservice of several words is followed by their number"
  }
  assert {
    condition     = output.names.data_store_security_group == "duolingo-api-a-b-prod-2/data-store"
    error_message = "the number follows the environment"
  }
  assert {
    condition     = output.names.ecs_service == "duolingo-api" && output.names.queue == "duolingo-api-prod"
    error_message = "names without a subservice do not change"
  }
  assert {
    condition     = output.tags.subservice == "a-b"
    error_message = "a data store is billed by subservice too"
  }
}

run "hashed" {
  command = plan

  variables {
    product    = "duolingo"
    service    = "recommender"
    subservice = "search"
  }

  assert {
    condition = output.names.search_domain == join("-", [
      "duolingo-recommende", substr(sha256("duolingo-recommender-search-prod"), 0, 8)
    ])
    error_message = "a long domain name ends in a digest"
  }
}

run "hash_strips_hyphens" {
  command = plan

  variables {
    product    = "abcdefgh"
    service    = "abcdefghi"
    subservice = "search"
  }

  assert {
    condition = output.names.search_domain == join("-", [
      "abcdefgh-abcdefghi", substr(sha256("abcdefgh-abcdefghi-search-prod"), 0, 8)
    ])
    error_message = "no two hyphens meet before the digest"
  }
}

run "refuses_a_hyphen_in_a_product" {
  command = plan
  variables {
    product = "duo-lingo"
  }
  expect_failures = [var.product]
}

run "refuses_a_reserved_product" {
  command = plan
  variables {
    product = "internal"
  }
  expect_failures = [var.product]
}

run "refuses_an_upper_case_service" {
  command = plan
  variables {
    service = "Api"
  }
  expect_failures = [var.service]
}

run "refuses_what_is_too_long_together" {
  command = plan
  variables {
    service = "recommendation"
  }
  expect_failures = [var.service]
}

run "refuses_a_long_environment" {
  command = plan
  variables {
    environment = "production"
  }
  expect_failures = [var.environment]
}

run "refuses_a_long_subservice" {
  command = plan
  variables {
    subservice = "database"
  }
  expect_failures = [var.subservice]
}

run "refuses_an_owner_that_is_no_tag_value" {
  command = plan
  variables {
    owner = "team; rm"
  }
  expect_failures = [var.owner]
}
