data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  contract  = module.names.contract
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.id
  console   = replace(lookup(local.contract.consoles, local.partition, local.contract.consoles.aws), "{region}", local.region)

  # The pages that one trouble leads to: service-down speaks for what it is made of.
  alarms = {
    web           = ["service-down", "latency-p99", "availability-burn-fast", "latency-burn-fast"]
    worker-daemon = ["service-down"]
    worker-cron   = ["silence", "run-failed"]
  }

  web     = [for service, kind in var.services : service if kind == "web"]
  daemons = [for service, kind in var.services : service if kind == "worker-daemon"]
  crons   = [for service, kind in var.services : service if kind == "worker-cron"]
  running = concat(local.web, local.daemons)

  baselib = local.contract.metrics.namespace
  tag     = [local.contract.metrics.dimension, var.environment]

  lines = {
    requests = [for service in local.web : concat([local.baselib, "${var.product}.${service}.requests"], local.tag, [{ label = service, stat = "Sum" }])]
    latency  = [for service in local.web : concat([local.baselib, "${var.product}.${service}.requests.time"], local.tag, [{ label = service, stat = "p99" }])]
    errors = [
      for number, service in local.web : [{
        id         = "errors${number}"
        label      = service
        expression = "SUM(SEARCH('{${local.baselib},${join(",", sort([local.contract.metrics.dimension, local.contract.metrics.type_dimension, "method", "route", "status"]))}} MetricName=\"${var.product}.${service}.requests\" ${local.contract.metrics.dimension}=\"${var.environment}\" status=(\"500\" OR \"501\" OR \"502\" OR \"503\" OR \"504\")', 'Sum', 300))"
      }]
    ]
    visible  = [for service in local.daemons : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", module.each[service].names.queue, { label = service, stat = "Maximum" }]]
    deleted  = [for service in local.daemons : ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", module.each[service].names.queue, { label = service, stat = "Sum" }]]
    age      = [for service in local.daemons : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", module.each[service].names.queue, { label = service, stat = "Maximum" }]]
    cpu      = [for service in local.running : ["AWS/ECS", "CPUUtilization", "ClusterName", var.ecs_cluster, "ServiceName", module.each[service].names.ecs_service, { label = service, stat = "Average" }]]
    memory   = [for service in local.running : ["AWS/ECS", "MemoryUtilization", "ClusterName", var.ecs_cluster, "ServiceName", module.each[service].names.ecs_service, { label = service, stat = "Average" }]]
    restarts = [for service in local.running : concat([local.baselib, "${var.product}.${service}.restarts"], local.tag, [{ label = service, stat = "Sum" }])]
    finished = [for service in local.crons : [module.each[service].names.task_family, "cron_finished", { label = service, stat = "Sum" }]]
    cost     = [for service in keys(var.services) : concat([local.baselib, "${var.product}.${service}.aws.cost"], local.tag, [{ label = service, stat = "Sum" }])]
  }

  titles = {
    requests = "Requests by service"
    latency  = "Milliseconds of requests by service (p99)"
    errors   = "Server errors by service"
    visible  = "Visible messages by service"
    deleted  = "Deleted messages by service"
    age      = "Age of the oldest message by service"
    cpu      = "CPU by service"
    memory   = "Memory by service"
    restarts = "Restarts by service"
    finished = "Finished runs by job"
    cost     = "Price of calls of AWS by service, in millionths of a US dollar"
  }

  # A row without lines is left out.
  rows = [
    for row in [["requests", "latency", "errors"], ["visible", "deleted", "age"], ["cpu", "memory", "restarts"], ["finished", "cost"]] :
    [for panel in row : panel if length(local.lines[panel]) > 0] if length(flatten([for panel in row : local.lines[panel]])) > 0
  ]

  header_height = max(4, 2 + ceil(length(var.services) / 3))
}

module "names" {
  source = "../names"

  product     = var.product
  service     = "fleet"
  environment = var.environment
  owner       = var.owner
}

module "each" {
  source   = "../names"
  for_each = var.services

  product     = var.product
  service     = each.key
  environment = var.environment
  owner       = var.owner
}

module "look_up" {
  source = "../look_up"

  identity = module.names
  given    = { clock_function_arn = var.clock_function_arn }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = module.names.names.fleet_dashboard
  dashboard_body = jsonencode({
    widgets = concat(
      [
        {
          x = 0, y = 0, width = 6, height = local.header_height, type = "custom"
          properties = {
            title    = "Local time and UTC"
            endpoint = module.look_up.values.clock_function_arn
            updateOn = { refresh = true, resize = false, timeRange = true }
          }
        },
        {
          x = 6, y = 0, width = 6, height = local.header_height, type = "text"
          properties = {
            markdown = join("\n", concat(
              ["# ${var.product} (${var.environment})", "Owner: ${var.owner}", ""],
              [
                for service, kind in var.services :
                "- [${service}](${local.console}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${module.each[service].names.dashboard}) (${kind})"
              ],
            ))
          }
        },
        {
          x = 12, y = 0, width = 12, height = local.header_height, type = "alarm"
          properties = {
            title = "Emergencies"
            alarms = flatten([
              for service, kind in var.services : [
                for alarm in local.alarms[kind] :
                "arn:${local.partition}:cloudwatch:${local.region}:${data.aws_caller_identity.this.account_id}:alarm:${module.each[service].names.alarm_prefix}-${alarm}"
              ]
            ])
          }
        },
      ],
      flatten([
        for number, row in local.rows : [
          for place, panel in row : {
            x          = place * 24 / length(row)
            y          = local.header_height + 6 * number
            width      = 24 / length(row)
            height     = 6
            type       = "metric"
            properties = jsondecode(local.panels[panel])
          }
        ]
      ]),
    )
  })
}

locals {
  # As JSON, because lines differ in form and a map has one type of value.
  panels = {
    for panel, lines in local.lines : panel => jsonencode({
      title   = local.titles[panel]
      view    = "timeSeries"
      stacked = false
      region  = local.region
      period  = 300
      yAxis   = { left = { min = 0, showUnits = false } }
      metrics = lines
    })
  }
}
