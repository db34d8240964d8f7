locals {
  existing_queue = var.queue_arn != null

  # The queues that this module makes: its own one is `main`, as baselib calls it.
  made = !local.daemon || var.queue == "none" ? {} : merge(
    local.existing_queue ? {} : {
      main = { fifo = var.queue == "fifo", visibility_timeout_seconds = var.visibility_timeout_seconds, max_receives = var.max_receives }
    },
    {
      for name, queue in var.queues : name => {
        fifo                       = queue.fifo
        visibility_timeout_seconds = coalesce(queue.visibility_timeout_seconds, var.visibility_timeout_seconds)
        max_receives               = coalesce(queue.max_receives, var.max_receives)
      }
    },
  )

  existing = !local.daemon || !local.existing_queue ? {} : {
    main = {
      for role, arn in { queue = var.queue_arn, dead_letter_queue = var.dead_letter_queue_arn } : role => {
        name                   = element(split(":", arn), 5)
        arn                    = arn
        url                    = "https://sqs.${element(split(":", arn), 3)}.${data.aws_partition.this.dns_suffix}/${element(split(":", arn), 4)}/${element(split(":", arn), 5)}"
      }
    }
  }

  queues = merge(
    local.existing,
    { for name, made in module.queue : name => { queue = made.queue, dead_letter_queue = made.dead_letter_queue } },
  )

  # Every queue that is consumed, by baselib's name for it.
  consumed = {
    for name, queue in local.queues : name => {
      queue_name             = queue.queue.name
      dead_letter_queue_name = queue.dead_letter_queue.name
    }
  }

  queue_variables = {
    for name, queue in local.queues :
    name == "main" ? "QUEUE_URL" : "QUEUE_${upper(replace(name, "-", "_"))}_URL" => queue.queue.url
  }

  queue_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [for queue in values(local.queues) : queue.queue.arn]
      },
      {
        # The queue's attributes name the dead-letter queue by ARN, and sending needs its URL.
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
        Resource = [for queue in values(local.queues) : queue.dead_letter_queue.arn]
      },
    ]
  })

  # What a sender needs; the attributes tell it whether a FIFO queue goes by content.
  send_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
        Resource = [for queue in values(local.queues) : queue.queue.arn]
      }],
      [
        for bucket in aws_s3_bucket.payloads : {
          Effect   = "Allow"
          Action   = ["s3:DeleteObject", "s3:PutObject"]
          Resource = ["${bucket.arn}/*"]
        }
      ],
    )
  })
}

module "queue" {
  source   = "../queue"
  for_each = local.made

  identity                   = module.names
  place                      = module.task.place
  name                       = each.key == "main" ? null : each.key
  fifo                       = each.value.fifo
  visibility_timeout_seconds = each.value.visibility_timeout_seconds
  max_receives               = each.value.max_receives
}
