run "daily" {
  command = plan
  variables {
    schedule = "cron(0 3 * * ? *)"
  }
  assert {
    condition     = output.hours == 24
    error_message = "cron(0 3 * * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "hourly" {
  command = plan
  variables {
    schedule = "cron(5 * * * ? *)"
  }
  assert {
    condition     = output.hours == 1
    error_message = "cron(5 * * * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "every_15_minutes" {
  command = plan
  variables {
    schedule = "cron(0/15 * * * ? *)"
  }
  assert {
    condition     = output.hours == 1
    error_message = "cron(0/15 * * * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "twice_a_day" {
  command = plan
  variables {
    schedule = "cron(0 3,9 * * ? *)"
  }
  assert {
    condition     = output.hours == 18
    error_message = "cron(0 3,9 * * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "business_hours" {
  command = plan
  variables {
    schedule = "cron(0 9-17 ? * MON-FRI *)"
  }
  assert {
    condition     = output.hours == 64
    error_message = "cron(0 9-17 ? * MON-FRI *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "weekdays" {
  command = plan
  variables {
    schedule = "cron(0 3 ? * 2-6 *)"
  }
  assert {
    condition     = output.hours == 72
    error_message = "cron(0 3 ? * 2-6 *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "mondays" {
  command = plan
  variables {
    schedule = "cron(0 3 ? * MON *)"
  }
  assert {
    condition     = output.hours == 168
    error_message = "cron(0 3 ? * MON *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "weekend_backwards" {
  command = plan
  variables {
    schedule = "cron(0 3 ? * FRI-MON *)"
  }
  assert {
    condition     = output.hours == 96
    error_message = "cron(0 3 ? * FRI-MON *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "first_of_month" {
  command = plan
  variables {
    schedule = "cron(0 3 1 * ? *)"
  }
  assert {
    condition     = output.hours == 744
    error_message = "cron(0 3 1 * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "last_of_month" {
  command = plan
  variables {
    schedule = "cron(0 3 L * ? *)"
  }
  assert {
    condition     = output.hours == 744
    error_message = "cron(0 3 L * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "thirty_first" {
  command = plan
  variables {
    schedule = "cron(0 3 31 * ? *)"
  }
  assert {
    condition     = output.hours == 1464
    error_message = "cron(0 3 31 * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "last_friday" {
  command = plan
  variables {
    schedule = "cron(15 10 ? * 6L *)"
  }
  assert {
    condition     = output.hours == 840
    error_message = "cron(15 10 ? * 6L *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "third_tuesday" {
  command = plan
  variables {
    schedule = "cron(0 8 ? * TUE#3 *)"
  }
  assert {
    condition     = output.hours == 840
    error_message = "cron(0 8 ? * TUE#3 *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "fifth_monday" {
  command = plan
  variables {
    schedule = "cron(0 8 ? * 2#5 *)"
  }
  assert {
    condition     = output.hours == 2856
    error_message = "cron(0 8 ? * 2#5 *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "quarters" {
  command = plan
  variables {
    schedule = "cron(0 3 1 JAN,APR,JUL,OCT ? *)"
  }
  assert {
    condition     = output.hours == 2208
    error_message = "cron(0 3 1 JAN,APR,JUL,OCT ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "yearly" {
  command = plan
  variables {
    schedule = "cron(0 3 1 1 ? *)"
  }
  assert {
    condition     = output.hours == 8784
    error_message = "cron(0 3 1 1 ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "saturday_by_l" {
  command = plan
  variables {
    schedule = "cron(0 3 ? * L *)"
  }
  assert {
    condition     = output.hours == 168
    error_message = "cron(0 3 ? * L *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "nearest_to_the_first" {
  command = plan
  variables {
    schedule = "cron(0 3 1W * ? *)"
  }
  assert {
    condition     = output.hours == 792
    error_message = "cron(0 3 1W * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "last_working_day" {
  command = plan
  variables {
    schedule = "cron(0 3 LW * ? *)"
  }
  assert {
    condition     = output.hours == 792
    error_message = "cron(0 3 LW * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "hours_that_go_round_by_steps" {
  command = plan
  variables {
    schedule = "cron(0 20-3/5 * * ? *)"
  }
  assert {
    condition     = output.hours == 19
    error_message = "cron(0 20-3/5 * * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "weekdays_that_go_round_by_steps" {
  command = plan
  variables {
    schedule = "cron(0 3 ? * FRI-WED/3 *)"
  }
  assert {
    condition     = output.hours == 96
    error_message = "cron(0 3 ? * FRI-WED/3 *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "months_that_go_round_by_steps" {
  command = plan
  variables {
    schedule = "cron(0 3 1 OCT-APR/5 ? *)"
  }
  assert {
    condition     = output.hours == 5136
    error_message = "cron(0 3 1 OCT-APR/5 ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "nearest_to_the_first_of_a_year" {
  command = plan
  variables {
    schedule = "cron(0 3 1W 1 ? *)"
  }
  assert {
    condition     = output.hours == 8832
    error_message = "cron(0 3 1W 1 ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "last_working_day_of_a_month" {
  command = plan
  variables {
    schedule = "cron(0 3 LW 1 ? *)"
  }
  assert {
    condition     = output.hours == 8832
    error_message = "cron(0 3 LW 1 ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "nearest_to_the_thirtieth" {
  command = plan
  variables {
    schedule = "cron(0 3 30W * ? *)"
  }
  assert {
    condition     = output.hours == 1464
    error_message = "cron(0 3 30W * ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "fifth_saturday_of_january" {
  command = plan
  variables {
    schedule = "cron(0 3 ? 1 7#5 *)"
  }
  assert {
    condition     = output.hours == 43848
    error_message = "cron(0 3 ? 1 7#5 *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "rate_of_minutes" {
  command = plan
  variables {
    schedule = "rate(90 minutes)"
  }
  assert {
    condition     = output.hours == 1.5
    error_message = "rate(90 minutes): ${output.hours == null ? "null" : output.hours}"
  }
}

run "rate_of_a_day" {
  command = plan
  variables {
    schedule = "rate(1 day)"
  }
  assert {
    condition     = output.hours == 24
    error_message = "rate(1 day): ${output.hours == null ? "null" : output.hours}"
  }
}

run "rate_of_a_year" {
  command = plan
  variables {
    schedule = "rate(365 days)"
  }
  assert {
    condition     = output.hours == 8760
    error_message = "rate(365 days): ${output.hours == null ? "null" : output.hours}"
  }
}

run "leap_day" {
  command = plan
  variables {
    schedule = "cron(0 3 29 2 ? *)"
  }
  assert {
    condition     = output.hours == 35064
    error_message = "cron(0 3 29 2 ? *): ${output.hours == null ? "null" : output.hours}"
  }
}

run "one_year" {
  command = plan
  variables {
    schedule = "cron(0 3 * * ? 2030)"
  }
  assert {
    condition     = output.hours == null
    error_message = "cron(0 3 * * ? 2030) has no next run"
  }
}

run "never" {
  command = plan
  variables {
    schedule = "cron(0 3 31 2 ? *)"
  }
  assert {
    condition     = output.hours == null
    error_message = "cron(0 3 31 2 ? *) has no next run"
  }
}

run "refuses_another_form" {
  command = plan
  variables {
    schedule = "at(2030-01-01T00:00:00)"
  }
  expect_failures = [var.schedule]
}
