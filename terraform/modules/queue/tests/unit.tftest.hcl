mock_provider "aws" {
  source = "../../testing"
}

variables {
  place = {
    partition  = "aws"
    region     = "us-east-1"
    account_id = "123456789012"
  }
}

run "identity" {
  module {
    source = "../names"
  }
  variables {
    product     = "duolingo"
    service     = "mailer"
    environment = "prod"
    owner       = "Learning Team"
  }
}

run "own_queue" {
  variables {
    identity = run.identity
  }

  assert {
    condition = (
      aws_sqs_queue.this.name == "duolingo-mailer-prod"
      && aws_sqs_queue.this.sqs_managed_sse_enabled
      && aws_sqs_queue.this.visibility_timeout_seconds == 120
      && aws_sqs_queue.this.receive_wait_time_seconds == 20
      && aws_sqs_queue.this.message_retention_seconds == 345600
      && !aws_sqs_queue.this.fifo_queue
      && jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5
      && jsondecode(aws_sqs_queue.this.redrive_allow_policy).redrivePermission == "denyAll"
    )
    error_message = "the queue is encrypted, polled for long, has a dead-letter queue and is none"
  }
  assert {
    condition = (
      aws_sqs_queue.dead_letter.name == "duolingo-mailer-prod_dead_letter"
      && aws_sqs_queue.dead_letter.sqs_managed_sse_enabled
      && aws_sqs_queue.dead_letter.message_retention_seconds == 1209600
      && jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:us-east-1:123456789012:duolingo-mailer-prod"]
    )
    error_message = "the dead-letter queue takes from this queue only"
  }
  assert {
    condition = alltrue([
      for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letter] : alltrue([
        for statement in jsondecode(queue.policy).Statement :
        statement.Effect == "Deny"
        && statement.Condition.Bool["aws:SecureTransport"] == "false"
        && statement.Resource == "arn:aws:sqs:us-east-1:123456789012:${queue.name}"
        && length(statement.Action) <= 7
      ])
    ])
    error_message = "nobody calls a queue without TLS"
  }
  assert {
    condition     = aws_sqs_queue.this.tags == run.identity.tags && aws_sqs_queue.dead_letter.tags == run.identity.tags
    error_message = "both are billed"
  }
}

run "further_fifo_queue" {
  variables {
    identity                   = run.identity
    name                       = "big-imports"
    fifo                       = true
    visibility_timeout_seconds = 3600
    max_receives               = 96
  }

  assert {
    condition = (
      output.queue.name == "duolingo-mailer-prod_big-imports.fifo"
      && output.dead_letter_queue.name == "duolingo-mailer-prod_big-imports_dead_letter.fifo"
      && aws_sqs_queue.this.fifo_queue && aws_sqs_queue.dead_letter.fifo_queue
      && jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:us-east-1:123456789012:duolingo-mailer-prod_big-imports.fifo"]
    )
    error_message = "the dead-letter queue of a FIFO queue is one too"
  }
}

run "refuses_a_queue_called_main" {
  command = plan
  variables {
    identity = run.identity
    name     = "main"
  }
  expect_failures = [var.name]
}

run "refuses_a_queue_of_capitals" {
  command = plan
  variables {
    identity = run.identity
    name     = "Imports"
  }
  expect_failures = [var.name]
}

run "refuses_a_visibility_of_a_day" {
  command = plan
  variables {
    identity                   = run.identity
    visibility_timeout_seconds = 86400
  }
  expect_failures = [var.visibility_timeout_seconds]
}

run "refuses_a_visibility_shorter_than_a_stop" {
  command = plan
  variables {
    identity                   = run.identity
    visibility_timeout_seconds = 29
  }
  expect_failures = [var.visibility_timeout_seconds]
}

run "refuses_no_receives" {
  command = plan
  variables {
    identity     = run.identity
    max_receives = 0
  }
  expect_failures = [var.max_receives]
}

run "refuses_messages_that_outlive_their_queue" {
  command = plan
  variables {
    identity                   = run.identity
    visibility_timeout_seconds = 3600
    max_receives               = 97
  }
  expect_failures = [var.max_receives]
}
