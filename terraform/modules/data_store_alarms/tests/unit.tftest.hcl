mock_provider "aws" {
  source = "../../testing"
}

run "names" {
  command = plan

  variables {
    product     = "duolingo"
    service     = "api"
    subservice  = "cache"
    environment = "prod"
    owner       = "Learning Team"
  }

  module {
    source = "../names"
  }
}

variables {
  kind = "memcached"
  measures = {
    "memcached-cpu-high" = {
      metrics   = { cpu = { namespace = "AWS/ElastiCache", name = "CPUUtilization", statistic = "Maximum", dimensions = { CacheClusterId = "cache" } } }
      threshold = 90
      periods   = 5
    }
  }
  without = ["memcached-down", "memcached-evictions", "memcached-swap"]
}

run "looks_up_who_hears_them" {
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["warning_topic_arn"]
    values = { insecure_value = "arn:aws:sns:us-east-1:123456789012:warning" }
  }
  override_data {
    target = module.look_up.data.aws_ssm_parameter.this["repositories_url"]
    values = { insecure_value = "https://github.com/duolingo" }
  }

  variables {
    identity = run.names
    contact  = "learning@example.com"
  }

  assert {
    condition     = output.names == { "memcached-cpu-high" = "duolingo-api-cache-prod/data-store-memcached-cpu-high" }
    error_message = "alarms are called after the data store"
  }
  assert {
    condition     = module.look_up.values.warning_topic_arn == "arn:aws:sns:us-east-1:123456789012:warning"
    error_message = "the topics are found"
  }
  assert {
    condition     = local.playbook_url == "https://github.com/duolingo/duolingo-api/blob/main/docs/playbook.md"
    error_message = "the playbook is the service's"
  }
}

run "takes_what_is_given" {
  variables {
    identity            = run.names
    playbook_url        = "https://wiki.example.com/cache"
    emergency_topic_arn = "arn:aws:sns:us-east-1:123456789012:pager"
    warning_topic_arn   = "arn:aws:sns:us-east-1:123456789012:mail"
  }

  assert {
    condition     = local.playbook_url == "https://wiki.example.com/cache" && module.look_up.values == tomap({ emergency_topic_arn = "arn:aws:sns:us-east-1:123456789012:pager", warning_topic_arn = "arn:aws:sns:us-east-1:123456789012:mail" })
    error_message = "nothing is looked up"
  }
}
