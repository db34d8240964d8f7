# What the service tells of itself through baselib: docs/reference/metrics.md has every metric and its tags.
locals {
  prefix    = "${local.tags.product}.${local.tags.service}"
  namespace = local.contract.metrics.namespace
  dimension = local.contract.metrics.dimension
  type      = local.contract.metrics.type_dimension

  # Lines of the metric over all tags.
  sums = {
    threads           = { title = "Threads and requests at work", lines = { "threads.busy" = "Maximum", "requests.in_flight" = "Maximum", "requests.shed" = "Sum", "requests.hung" = "Sum", "clients.slow" = "Sum" } }
    aws-trouble       = { title = "Calls of AWS: trouble", lines = { "aws.calls.throttles" = "Sum", "aws.calls.retries" = "Sum", "aws.credentials.failures" = "Sum" } }
    memory-of-service = { title = "Memory that the service measures", lines = { "memory.percent" = "Maximum" } }
    message-times     = { title = "Milliseconds that messages wait and take", lines = { "messages.age" = "p99", "messages.time" = "p99" } }
    turn-times        = { title = "Milliseconds of a turn", lines = { "turns.time" = "p99" } }
  }

  # One line for each value of the tags, the ten largest.
  searches = {
    deployments  = { title = "Deployments: tasks started, by release", metric = "starts", tags = ["release"], statistic = "Sum", label = "$${PROP('Dim.release')}" }
    routes       = { title = "Requests by route and status", metric = "requests", tags = ["method", "route", "status"], statistic = "Sum", label = "$${PROP('Dim.method')} $${PROP('Dim.route')} $${PROP('Dim.status')}" }
    route-times  = { title = "Milliseconds by route and status (p99)", metric = "requests.time", tags = ["method", "route", "status"], statistic = "p99", label = "$${PROP('Dim.method')} $${PROP('Dim.route')} $${PROP('Dim.status')}" }
    messages     = { title = "Messages handled, by outcome", metric = "messages", tags = ["outcome", "queue"], statistic = "Sum", label = "$${PROP('Dim.queue')} $${PROP('Dim.outcome')}" }
    turns        = { title = "Turns by loop and outcome", metric = "turns", tags = ["loop", "outcome"], statistic = "Sum", label = "$${PROP('Dim.loop')} $${PROP('Dim.outcome')}" }
    jobs         = { title = "Jobs by outcome", metric = "jobs", tags = ["job", "outcome"], statistic = "Sum", label = "$${PROP('Dim.job')} $${PROP('Dim.outcome')}" }
    aws-calls    = { title = "Calls of AWS by operation and outcome", metric = "aws.calls", tags = ["operation", "outcome", "service"], statistic = "Sum", label = "$${PROP('Dim.service')} $${PROP('Dim.operation')} $${PROP('Dim.outcome')}" }
    dependencies = { title = "Calls of other services by outcome", metric = "dependencies.calls", tags = ["dependency", "outcome"], statistic = "Sum", label = "$${PROP('Dim.dependency')} $${PROP('Dim.outcome')}" }
    restarts     = { title = "Restarts by cause", metric = "restarts", tags = ["cause"], statistic = "Sum", label = "$${PROP('Dim.cause')}" }
    log-lines    = { title = "Log lines by level", metric = "log.lines", tags = ["level"], statistic = "Sum", label = "$${PROP('Dim.level')}" }
  }

  service_panels = merge(
    {
      for name, panel in local.sums : name => jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title = panel.title
          yAxis = { left = { min = 0, showUnits = false } }
          metrics = [
            for metric, statistic in panel.lines :
            [local.namespace, "${local.prefix}.${metric}", local.dimension, local.tags.environment, { label = "${metric} (${statistic})", stat = statistic }]
          ]
        })
      })
    },
    {
      for name, panel in local.searches : name => jsonencode({
        type = "metric"
        properties = merge(panel.statistic == "Sum" ? local.rate : local.graph, {
          title = panel.title
          yAxis = { left = { min = 0, showUnits = false } }
          metrics = [[{
            id    = "found"
            label = panel.label
            expression = join("", [
              "SORT(SEARCH('{${join(",", concat([local.namespace], sort(concat(panel.tags, [local.dimension, local.type]))))}} ",
              "MetricName=\"${local.prefix}.${panel.metric}\" ${local.dimension}=\"${local.tags.environment}\"', '${panel.statistic}', 300), MAX, DESC, 10)",
            ])
          }]]
        })
      })
    },
  )
}
