# Every panel is written as JSON at once: panels differ in form, and a map has one type of value.
locals {
  panels = merge(local.head_panels, local.objective_panels, local.task_panels, local.web_panels, local.daemon_panels, local.cron_panels, local.service_panels)

  # What all graphs have, and what a graph adds to it.
  graph = { view = "timeSeries", stacked = false, region = local.region }
  rate  = { view = "timeSeries", stacked = true, region = local.region }
}

# Links, clock and alarms.
locals {
  # As the console writes it: `~` marks the types of what is in the address, each other sign is its code after `*`, and
  # brackets and quotes, which would end a link in Markdown, are encoded twice.
  logs_query = join("", [
    "~(end~0~start~-3600~timeType~'RELATIVE~unit~'seconds",
    "~editorString~'fields*20*40timestamp*2c*20level*2c*20message*2c*20request_id*0a*7c*20sort*20*40timestamp*20desc*0a*7c*20limit*20200",
    "~source~(~'${replace(var.log_group_name, "/", "*2f")}))",
  ])
  logs_url = join("", [
    "${local.console}/cloudwatch/home?region=${local.region}#logsV2:logs-insights$3FqueryDetail$3D",
    replace(replace(replace(replace(local.logs_query, "~", "$257E"), "(", "$2528"), ")", "$2529"), "'", "$2527"),
  ])

  links = concat(
    ["[Repository](${var.links.repository})", "[Playbook](${var.links.playbook})", "[Logs query](${local.logs_url})"],
    [for sentry in var.links.sentry[*] : "[Sentry](${sentry})"],
  )

  head_panels = {
    clock = jsonencode({
      type = "custom"
      properties = {
        title    = "Local time and UTC"
        endpoint = var.clock_function_arn
        updateOn = { refresh = true, resize = false, timeRange = true }
      }
    })
    links = jsonencode({
      type = "text"
      properties = {
        markdown = join("\n", [
          "# ${local.tags.product}-${local.tags.service} (${local.tags.environment})",
          join(" | ", local.links),
          "",
          "Owner: ${local.tags.owner}",
        ])
      }
    })
    alarms = jsonencode({
      type = "alarm"
      properties = {
        title  = "Alarms"
        alarms = [for name in sort(keys(var.alarm_arns)) : var.alarm_arns[name]]
      }
    })
  }
}

# Objectives and what is left of their error budgets.
locals {
  objective_panels = merge([
    for objective in var.objectives : {
      "budget-${objective.name}" = jsonencode({
        type = "metric"
        properties = {
          title                = "Error budget left: ${objective.name} (${objective.objective} % of 30 days)"
          view                 = "singleValue"
          region               = local.region
          start                = "-P30D"
          end                  = "P0D"
          setPeriodToTimeRange = true
          metrics = concat(
            [[{ id = "left", label = "% of the budget", expression = "100 - 100 * (${objective.bad_percent}) / ${local.budgets[objective.name]}" }]],
            local.hidden[objective.name],
          )
        }
      })
      "burn-${objective.name}" = jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title  = "Burn rate of the error budget: ${objective.name}"
          period = 3600
          yAxis  = { left = { min = 0, showUnits = false, label = "times the budget" } }
          metrics = concat(
            [[{ id = "burn", label = "Burn rate in an hour", expression = "(${objective.bad_percent}) / ${local.budgets[objective.name]}" }]],
            local.hidden[objective.name],
          )
          annotations = { horizontal = [{ label = "Pages", value = 14.4 }, { label = "Just lasts", value = 1 }] }
        })
      })
    }
  ]...)

  # Written out, because 100 - 99.9 is not quite 0.1; it is never 0, because no objective is 100.
  budgets = { for objective in var.objectives : objective.name => tonumber(format("%.6f", 100 - objective.objective)) }

  hidden = {
    for objective in var.objectives : objective.name => [
      for id, metric in objective.metrics : concat(
        [metric.namespace, metric.name],
        flatten([for name, value in metric.dimensions : [name, value]]),
        [{ id = id, stat = metric.statistic, visible = false }],
      )
    ]
  }
}

# Tasks, from ECS.
locals {
  service = ["ClusterName", var.ecs_cluster, "ServiceName", local.names.ecs_service]

  healthy = [
    for line in [
      { metric = "HealthyHostCount", label = "Healthy", color = "#2ca02c" },
      { metric = "UnHealthyHostCount", label = "Unhealthy", color = "#d62728" },
    ] : concat(["AWS/ApplicationELB", line.metric], local.target_group, [{ label = line.label, stat = "Average", color = line.color }])
    if var.load_balancer != null
  ]

  running = [
    for line in {
      insights = [concat(["ECS/ContainerInsights", "RunningTaskCount"], local.service, [{ label = "Running", stat = "Average", color = "#1f77b4" }])]
      samples = [
        # A period of five minutes has five samples of a task.
        [{ id = "running", label = "Running", expression = "samples / (PERIOD(samples) / 60)", color = "#1f77b4" }],
        concat(["AWS/ECS", "CPUUtilization"], local.service, [{ id = "samples", stat = "SampleCount", visible = false }]),
      ]
    }[var.container_insights ? "insights" : "samples"] : line
  ]

  task_panels = merge(
    {
      tasks = jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title   = var.load_balancer == null ? "Running tasks" : "Healthy, unhealthy and running tasks"
          yAxis   = { left = { min = 0, showUnits = false } }
          metrics = concat(local.healthy, local.running)
        })
      })
    },
    {
      for name, panel in {
        cpu    = { metric = "CPUUtilization", title = "CPU: minimum, average, maximum", annotation = { label = "Scaling aims at", value = 60 } }
        memory = { metric = "MemoryUtilization", title = "Memory: minimum, average, maximum", annotation = { label = "All that is reserved", value = 100 } }
        } : name => jsonencode({
          type = "metric"
          properties = merge(local.graph, {
            title       = panel.title
            yAxis       = { left = { min = 0, label = "%", showUnits = false } }
            annotations = { horizontal = [panel.annotation] }
            metrics = [
              for statistic in ["Minimum", "Average", "Maximum"] :
              concat(["AWS/ECS", panel.metric], local.service, [{ label = statistic, stat = statistic }])
            ]
          })
      })
    },
  )
}

# A web service, from its load balancer.
locals {
  target_group = var.load_balancer == null ? [] : flatten([for name in ["LoadBalancer", "TargetGroup"] : [name, var.load_balancer.dimensions[name]]])

  # By search, so that a zone more or less needs no change. A search finds what was reported in the last two weeks, and 500
  # lines at most: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-search-expressions.html
  by_zone = var.load_balancer == null ? {} : {
    service-errors = {
      title = "Service errors by availability zone"
      searches = [
        for metric, label in { HTTPCode_Target_5XX_Count = "answers 5xx", TargetConnectionErrorCount = "refused connections" } : {
          label                                          = label
          query                                          = "{AWS/ApplicationELB,AvailabilityZone,LoadBalancer,TargetGroup} MetricName=\"${metric}\" LoadBalancer=\"${var.load_balancer.dimensions.LoadBalancer}\" TargetGroup=\"${var.load_balancer.dimensions.TargetGroup}\""
        }
      ]
    }
    load-balancer-errors = {
      title = "Load balancer errors by availability zone"
      searches = [{
        label = "answers 5xx"
        query = "{AWS/ApplicationELB,AvailabilityZone,LoadBalancer} MetricName=\"HTTPCode_ELB_5XX_Count\" LoadBalancer=\"${var.load_balancer.dimensions.LoadBalancer}\""
      }]
    }
  }

  web_panels = var.load_balancer == null ? {} : merge(
    {
      latency = jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title = "Latency: average and percentiles"
          yAxis = { left = { min = 0, label = "s", showUnits = false } }
          metrics = [
            for statistic, label in { Average = "Average", p50 = "p50", p90 = "p90", p99 = "p99" } :
            concat(["AWS/ApplicationELB", "TargetResponseTime"], local.target_group, [{ label = label, stat = statistic }])
          ]
          annotations = { horizontal = [{ label = "Slow", value = var.load_balancer.latency_threshold_seconds }] }
        })
      })
      requests = jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title   = "Number of requests"
          yAxis   = { left = { min = 0, showUnits = false } }
          metrics = [concat(["AWS/ApplicationELB", "RequestCount"], local.target_group, [{ label = "Requests", stat = "Sum" }])]
        })
      })
    },
    {
      for name, panel in local.by_zone : name => jsonencode({
        type = "metric"
        properties = merge(local.rate, {
          title = panel.title
          yAxis = { left = { min = 0, showUnits = false } }
          metrics = [
            for number, search in panel.searches : [{
              id         = "zones${number}"
              label      = "$${PROP('Dim.AvailabilityZone')} ${search.label}"
              expression = "SEARCH('${search.query}', 'Sum', 60)"
            }]
          ]
        })
      })
    },
  )
}

# A daemon, from its queues.
locals {
  daemon_panels = length(var.queues) == 0 ? {} : {
    for name, panel in {
      visible = { title = "Visible messages", statistic = "Maximum", metric = "ApproximateNumberOfMessagesVisible", dead = true }
      deleted = { title = "Deleted messages", statistic = "Sum", metric = "NumberOfMessagesDeleted", dead = false }
      age     = { title = "Age of the oldest message", statistic = "Maximum", metric = "ApproximateAgeOfOldestMessage", dead = false }
      } : name => jsonencode({
        type = "metric"
        properties = merge(local.graph, {
          title = panel.title
          yAxis = { left = { min = 0, showUnits = false, label = name == "age" ? "s" : "messages" } }
          metrics = concat(
            [for queue in values(var.queues) : ["AWS/SQS", panel.metric, "QueueName", queue.queue_name, { label = queue.queue_name, stat = panel.statistic }]],
            [
              for queue in values(var.queues) : ["AWS/SQS", panel.metric, "QueueName", queue.dead_letter_queue_name, { label = queue.dead_letter_queue_name, stat = panel.statistic, color = "#d62728" }]
              if panel.dead && queue.dead_letter_queue_name != null
            ],
          )
        })
    })
  }
}

# A cron, from its state machine and its log.
locals {
  cron_panels = var.cron == null ? {} : {
    runs = jsonencode({
      type = "metric"
      properties = merge(local.rate, {
        title  = "Runs"
        period = 3600
        yAxis  = { left = { min = 0, showUnits = false } }
        metrics = [
          for line in [["ExecutionsSucceeded", "Finished", "#2ca02c"], ["ExecutionsFailed", "Failed", "#d62728"], ["ExecutionsTimedOut", "Took too long", "#ff7f0e"], ["ExecutionsAborted", "Stopped", "#7f7f7f"]] :
          ["AWS/States", line[0], "StateMachineArn", var.cron.state_machine_arn, { label = line[1], stat = "Sum", color = line[2] }]
        ]
      })
    })
    duration = jsonencode({
      type = "metric"
      properties = merge(local.graph, {
        title  = "Duration of runs"
        period = 3600
        yAxis  = { left = { min = 0, label = "s", showUnits = false } }
        metrics = concat(
          [for statistic in ["Average", "Maximum"] : [{ id = lower(statistic), label = statistic, expression = "time_${lower(statistic)} / 1000" }]],
          [
            for statistic in ["Average", "Maximum"] :
            ["AWS/States", "ExecutionTime", "StateMachineArn", var.cron.state_machine_arn, { id = "time_${lower(statistic)}", stat = statistic, visible = false }]
          ],
        )
      })
    })
    silence = jsonencode({
      type = "metric"
      properties = merge(local.graph, {
        title  = "Silence: hours since a run finished"
        period = 3600
        start  = "-P7D"
        end    = "P0D"
        yAxis  = { left = { min = 0, label = "h", showUnits = false } }
        metrics = [
          [{ id = "silence", label = "Hours", expression = "(EPOCH(TIME_SERIES(0)) - FILL(EPOCH(finished), REPEAT)) / 3600" }],
          [var.cron.finished.namespace, var.cron.finished.name, { id = "finished", stat = "Sum", visible = false }],
        ]
        annotations = { horizontal = [{ label = "Pages", value = var.cron.silence_hours }] }
      })
    })
  }
}
