output "parts" {
  description = "One alarm for each window, for `parts` of module `alarms`."
  value = {
    for window, burn in local.windows : "${var.name}-${window}" => {
      of = "${var.name}-${burn.of}"
      measure = {
        # Each metric of an alarm is paid for.
        metrics    = { for id, metric in var.metrics : id => metric if can(regex("\\b${id}\\b", local.expressions[burn.long])) }
        expression = local.expressions[burn.long]
        # Written out, because 100 - 99.9 is not quite 0.1.
        threshold = tonumber(format("%.6f", burn.factor * local.budget))
        period    = burn.period
        periods   = burn.periods
        # Without events nothing is bad.
        missing_data = "notBreaching"
      }
    }
  }
}

output "composites" {
  description = "The alarms that join two windows each, for `composites` of module `alarms`: one rings while both windows of any of its pairs do."
  value = {
    for name, pairs in local.pairs : "${var.name}-${name}" => {
      any_of = [for pair in pairs : [for window in pair : "${var.name}-${window}"]]
    }
  }
}

output "panel" {
  description = "What module `dashboard` shows of the objective."
  value = {
    name        = var.name
    objective   = var.objective
    metrics     = var.metrics
    bad_percent = var.bad_percent
  }
}
