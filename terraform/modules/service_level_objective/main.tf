locals {
  budget = 100 - var.objective

  # By whether the window is a long one.
  expressions = {
    true  = "IF((${var.bad}) >= ${var.least_bad}, ${var.bad_percent}, 0)"
    false = var.bad_percent
  }

  # The recommended factors, windows and pairs for 30 days:
  # https://sre.google/workbook/alerting-on-slos/#recommended_parameters_for_an_slo_based_alerting_configuration
  # A window slides, because an alarm looks at the last `period` seconds each time:
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
  # A day is the longest period, so that the window of three days is three of one day, each of which has to burn.
  windows = {
    "burn-1h"      = { of = "burn-fast", factor = 14.4, period = 3600, periods = 1, long = true }
    "burn-5m"      = { of = "burn-fast", factor = 14.4, period = 300, periods = 1, long = false }
    "burn-6h"      = { of = "burn-fast", factor = 6, period = 21600, periods = 1, long = true }
    "burn-30m"     = { of = "burn-fast", factor = 6, period = 1800, periods = 1, long = false }
    "burn-3d"      = { of = "burn-slow", factor = 1, period = 86400, periods = 3, long = true }
    "burn-slow-6h" = { of = "burn-slow", factor = 1, period = 21600, periods = 1, long = false }
  }

  pairs = {
    "burn-fast" = [["burn-1h", "burn-5m"], ["burn-6h", "burn-30m"]]
    "burn-slow" = [["burn-3d", "burn-slow-6h"]]
  }
}
