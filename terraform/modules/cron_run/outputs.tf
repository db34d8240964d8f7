output "state_machine_arn" {
  description = "State machine of a run; to run the job by hand, start an execution of it without input."
  value       = aws_sfn_state_machine.this.arn
}

output "schedule_group" {
  description = "Group of the service's schedules."
  value       = aws_scheduler_schedule_group.this.name
}

output "failed_runs_queue" {
  description = "Queue that keeps what is known of each failed attempt for 14 days: `name`, `arn` and `url`."
  value       = { name = aws_sqs_queue.failed_runs.name, arn = aws_sqs_queue.failed_runs.arn, url = aws_sqs_queue.failed_runs.url }
}

output "measures" {
  description = "Measures of the alarms `run-failed` and `attempt-failed`, for module `alarms`."
  value = {
    run-failed = {
      metrics = merge(
        {
          for id, name in { failed = "ExecutionsFailed", timed_out = "ExecutionsTimedOut", aborted = "ExecutionsAborted" } : id => {
            namespace              = "AWS/States"
            name                   = name
            statistic              = "Sum"
            dimensions             = { StateMachineArn = aws_sfn_state_machine.this.arn }
          }
        },
        {
          dropped = {
            namespace  = "AWS/Scheduler"
            name       = "InvocationDroppedCount"
            statistic  = "Sum"
            dimensions = { ScheduleGroup = aws_scheduler_schedule_group.this.name }
          }
        },
      )
      expression = "FILL(failed, 0) + FILL(timed_out, 0) + FILL(aborted, 0) + FILL(dropped, 0)"
      threshold  = 0
      # One failed run rings for an hour; FILL alone would hide a late data point behind a 0.
      periods    = 60
      datapoints = 1
    }

    attempt-failed = {
      metrics = {
        invocations = {
          namespace  = "AWS/Events"
          name       = "Invocations"
          statistic  = "Sum"
          dimensions = { RuleName = aws_cloudwatch_event_rule.failed_run.name }
        }
      }
      threshold  = 0
      periods    = 60
      datapoints = 1
    }
  }
}
