mock_provider "aws" {
  source = "../../testing"
}

variables {
  environment = "prod"
  owner       = "Platform Team"
}

run "topics" {
  variables {
    warning_emails   = ["learning@example.com", "platform@example.com"]
    emergency_emails = ["learning@example.com"]
  }

  assert {
    condition     = { for severity, topic in aws_sns_topic.this : severity => topic.name } == { emergency = "platform-alarms-prod-emergency", warning = "platform-alarms-prod-warning" }
    error_message = "there is a topic for each severity"
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.kms_master_key_id == aws_kms_key.this.arn && topic.tags == output.tags])
    error_message = "topics are encrypted with their own key, and billed"
  }
  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.this :
      jsondecode(policy.policy).Statement[0].Condition.StringEquals == { "aws:SourceAccount" = "123456789012" }
      && jsondecode(policy.policy).Statement[0].Condition.ArnLike == { "aws:SourceArn" = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*" }
    ])
    error_message = "only this account's alarms publish"
  }
  assert {
    condition     = keys(aws_sns_topic_subscription.email) == ["emergency/learning@example.com", "warning/learning@example.com", "warning/platform@example.com"]
    error_message = "each address is subscribed to what it asked for"
  }
}

run "refuses_what_is_no_address_for_warnings" {
  command = plan
  variables {
    warning_emails = ["learning"]
  }
  expect_failures = [var.warning_emails]
}

run "refuses_what_is_no_address_for_emergencies" {
  command = plan
  variables {
    emergency_emails = ["learning@example.com", "@example.com"]
  }
  expect_failures = [var.emergency_emails]
}
