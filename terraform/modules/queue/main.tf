locals {
  retention_seconds             = 4 * 24 * 3600
  dead_letter_retention_seconds = 14 * 24 * 3600
  # What baselib waits at most between two receives of a message that fails.
  longest_back_off_seconds = 900

  queue_name       = join("_", concat([var.identity.names.queue], var.name[*]))
  suffix           = var.fifo ? ".fifo" : ""
  queue            = "${local.queue_name}${local.suffix}"
  dead_letters     = "${local.queue_name}_dead_letter${local.suffix}"
  arn_prefix       = "arn:${var.place.partition}:sqs:${var.place.region}:${var.place.account_id}"
  queue_arn        = "${local.arn_prefix}:${local.queue}"
  dead_letters_arn = "${local.arn_prefix}:${local.dead_letters}"

  # Named one by one, seven to a statement, which is as many as SQS takes:
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
  denied_without_tls = [
    [
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:PurgeQueue",
      "sqs:ReceiveMessage", "sqs:SendMessage",
    ],
    [
      "sqs:AddPermission", "sqs:DeleteQueue", "sqs:ListDeadLetterSourceQueues", "sqs:RemovePermission",
      "sqs:SetQueueAttributes",
    ],
  ]

  policies = {
    for arn in [local.queue_arn, local.dead_letters_arn] : arn => jsonencode({
      Version = "2012-10-17"
      Statement = [
        for number, actions in local.denied_without_tls : {
          Sid       = "OnlyTls${number + 1}"
          Effect    = "Deny"
          Principal = "*"
          Action    = actions
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }
      ]
    })
  }
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = local.dead_letters
  fifo_queue                = var.fifo
  message_retention_seconds = local.dead_letter_retention_seconds
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    # Built, because the queue itself needs this one's ARN.
    sourceQueueArns = [local.queue_arn]
  })

  policy = local.policies[local.dead_letters_arn]

  tags = var.identity.tags
}

resource "aws_sqs_queue" "this" {
  name                       = local.queue
  fifo_queue                 = var.fifo
  message_retention_seconds  = local.retention_seconds
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = var.visibility_timeout_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receives
  })

  # Nobody's dead letters belong among the messages.
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })

  policy = local.policies[local.queue_arn]

  tags = var.identity.tags
}
