output "measure" {
  description = "Measure of the alarm `silence`, for module `alarms`: it rings when the check fails, and when nobody makes it."
  value = {
    metrics = {
      in_time = {
        namespace  = "AWS/States"
        name       = "ExecutionsSucceeded"
        statistic  = "Sum"
        dimensions = { StateMachineArn = aws_sfn_state_machine.this.arn }
      }
    }
    comparison   = "LessThanThreshold"
    threshold    = 1
    period       = 3600
    periods      = 3
    missing_data = "breaching"
  }
}
