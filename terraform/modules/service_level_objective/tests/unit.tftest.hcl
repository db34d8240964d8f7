variables {
  name = "availability"
  metrics = {
    errors   = { namespace = "n", name = "errors", statistic = "Sum", dimensions = {} }
    requests = { namespace = "n", name = "requests", statistic = "Sum", dimensions = {} }
  }
  bad         = "FILL(errors, 0)"
  bad_percent = "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)"
}

run "three_nines" {
  command = plan

  assert {
    condition = tomap({ for name, part in output.parts : name => part.measure.threshold }) == tomap({
      "availability-burn-1h"      = 1.44
      "availability-burn-5m"      = 1.44
      "availability-burn-6h"      = 0.6
      "availability-burn-30m"     = 0.6
      "availability-burn-3d"      = 0.1
      "availability-burn-slow-6h" = 0.1
    })
    error_message = "the thresholds are the workbook's factors of the budget"
  }
  assert {
    condition = tomap({ for name, part in output.parts : name => part.measure.period * part.measure.periods }) == tomap({
      "availability-burn-1h"      = 3600
      "availability-burn-5m"      = 300
      "availability-burn-6h"      = 6 * 3600
      "availability-burn-30m"     = 1800
      "availability-burn-3d"      = 3 * 86400
      "availability-burn-slow-6h" = 6 * 3600
    })
    error_message = "the windows are the workbook's"
  }
  assert {
    condition = jsonencode(output.composites) == jsonencode({
      "availability-burn-fast" = { any_of = [["availability-burn-1h", "availability-burn-5m"], ["availability-burn-6h", "availability-burn-30m"]] }
      "availability-burn-slow" = { any_of = [["availability-burn-3d", "availability-burn-slow-6h"]] }
    })
    error_message = "a long window is joined with a short one"
  }
  assert {
    condition     = alltrue([for part in values(output.parts) : contains(keys(output.composites), part.of)])
    error_message = "each window is part of an alarm"
  }
  assert {
    condition = (
      output.parts["availability-burn-1h"].measure.expression == "IF((FILL(errors, 0)) >= 10, IF(requests > 0, 100 * FILL(errors, 0) / requests, 0), 0)"
      && output.parts["availability-burn-5m"].measure.expression == var.bad_percent
    )
    error_message = "only a long window waits for a number of bad events"
  }
}

run "a_short_window_pays_for_no_metric_that_it_does_not_use" {
  command = plan

  variables {
    name = "latency"
    metrics = {
      quick    = { namespace = "n", name = "time", statistic = "PR(0:1)", dimensions = {} }
      requests = { namespace = "n", name = "time", statistic = "SampleCount", dimensions = {} }
    }
    bad         = "(100 - quick) / 100 * requests"
    bad_percent = "100 - quick"
  }

  assert {
    condition = (
      toset(keys(output.parts["latency-burn-5m"].measure.metrics)) == toset(["quick"])
      && toset(keys(output.parts["latency-burn-1h"].measure.metrics)) == toset(["quick", "requests"])
    )
    error_message = "an alarm has the metrics that its expression names"
  }
}

run "the_highest_objective" {
  command = plan

  variables {
    objective = 99.99
  }

  assert {
    condition     = output.parts["availability-burn-1h"].measure.threshold == 0.144 && output.parts["availability-burn-3d"].measure.threshold == 0.01
    error_message = "four nines leave a tenth of the budget"
  }
}

run "the_lowest_objective" {
  command = plan

  variables {
    objective = 95
  }

  assert {
    condition     = alltrue([for part in values(output.parts) : part.measure.threshold < 100])
    error_message = "every alarm can ring"
  }
}

run "refuses_another_name" {
  command = plan
  variables {
    name = "freshness"
  }
  expect_failures = [var.name]
}

run "refuses_a_promise_that_nobody_can_keep" {
  command = plan
  variables {
    objective = 99.999
  }
  expect_failures = [var.objective]
}

run "refuses_a_promise_whose_fast_alarm_cannot_ring" {
  command = plan
  variables {
    objective = 90
  }
  expect_failures = [var.objective]
}

run "refuses_to_wait_for_no_bad_event" {
  command = plan
  variables {
    least_bad = 0
  }
  expect_failures = [var.least_bad]
}
