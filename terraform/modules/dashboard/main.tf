data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  names    = var.identity.names
  tags     = var.identity.tags
  contract = var.identity.contract
  region   = data.aws_region.this.id
  console = replace(
    lookup(local.contract.consoles, data.aws_partition.this.partition, local.contract.consoles.aws),
    "{region}", local.region,
  )

  # From top to bottom, from left to right. A row is as high as its panels, which share its width.
  rows = concat(
    [{ height = 4, panels = ["clock", "links", "alarms"] }],
    [for objectives in [var.objectives] : { height = 4, panels = flatten([for objective in objectives : ["budget-${objective.name}", "burn-${objective.name}"]]) } if length(objectives) > 0],
    {
      "web" = [
        { height = 6, panels = ["tasks", "latency", "requests"] },
        { height = 6, panels = ["cpu", "memory", "deployments"] },
        { height = 6, panels = ["service-errors", "load-balancer-errors"] },
        { height = 6, panels = ["routes", "route-times", "threads"] },
      ]
      "worker-daemon" = [
        { height = 6, panels = length(var.queues) == 0 ? ["tasks", "deployments"] : ["tasks", "visible", "deleted"] },
        { height = 6, panels = length(var.queues) == 0 ? ["cpu", "memory"] : ["cpu", "memory", "age"] },
        { height = 6, panels = length(var.queues) == 0 ? ["turns", "turn-times"] : ["messages", "message-times", "deployments"] },
      ]
      "worker-cron" = [
        { height = 6, panels = ["runs", "duration", "silence"] },
        { height = 6, panels = ["jobs", "deployments"] },
      ]
    }[var.kind],
    [
      { height = 6, panels = ["aws-calls", "aws-trouble", "dependencies"] },
      { height = 6, panels = ["restarts", "memory-of-service", "log-lines"] },
    ],
  )

  # Panels share a row's columns evenly, with these exceptions.
  widths = merge(
    { clock = 6, links = 9, alarms = 9 },
    merge([for objective in var.objectives : { "budget-${objective.name}" = 6, "burn-${objective.name}" = 24 / length(var.objectives) - 6 }]...),
  )

  placed = flatten([
    for number, row in local.rows : [
      for place, panel in row.panels : {
        panel  = panel
        x      = sum(concat([0], [for before in slice(row.panels, 0, place) : lookup(local.widths, before, 24 / length(row.panels))]))
        y      = sum(concat([0], [for above in slice(local.rows, 0, number) : above.height]))
        width  = lookup(local.widths, panel, 24 / length(row.panels))
        height = row.height
      }
    ]
  ])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.names.dashboard
  dashboard_body = jsonencode({
    widgets = [
      for place in local.placed : merge(
        { x = place.x, y = place.y, width = place.width, height = place.height },
        jsondecode(local.panels[place.panel]),
      )
    ]
  })
}
