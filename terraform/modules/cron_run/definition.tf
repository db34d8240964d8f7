# The language: https://states-language.net/spec.html
locals {
  definition = {
    Comment = "Runs ${local.names.ecs_service}, looks at its exit code, and starts it again where that can help."
    StartAt = "Scheduled or by hand"
    States = {
      "Scheduled or by hand" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.scheduled_time", IsPresent = true, Next = "First attempt" }]
        Default = "By hand"
      }

      "By hand" = {
        Type       = "Pass"
        Parameters = { "scheduled_time.$" = "$$.Execution.StartTime" }
        Next       = "First attempt"
      }

      "First attempt" = {
        Type       = "Pass"
        Parameters = { "scheduled_time.$" = "$.scheduled_time", attempt = 1, pause = local.first_pause_seconds }
        Next       = "Run"
      }

      Run = {
        Type           = "Task"
        Resource       = "arn:${var.place.partition}:states:::ecs:runTask.sync"
        TimeoutSeconds = var.timeout_seconds
        ResultPath     = null
        Next           = "Finished"

        Parameters = merge(
          {
            Cluster        = local.cluster_arn
            TaskDefinition = var.task.definition_arn
            PropagateTags  = "TASK_DEFINITION"

            CapacityProviderStrategy = [{ CapacityProvider = var.task.capacity_provider, Weight = 1 }]

            Overrides = {
              ContainerOverrides = [{
                Name        = var.task.container_name
                Environment = [{ Name = "SCHEDULED_TIME", "Value.$" = "$.scheduled_time" }]
              }]
            }
          },
          var.task.launch_type == "FARGATE" ? {} : {
            PlacementStrategy = [
              { Type = "spread", Field = "attribute:ecs.availability-zone" },
              { Type = "binpack", Field = "memory" },
            ]
          },
          var.network == null ? {} : {
            NetworkConfiguration = {
              AwsvpcConfiguration = {
                Subnets        = var.network.subnet_ids
                SecurityGroups = var.network.security_group_ids
                AssignPublicIp = "DISABLED"
              }
            }
          },
        )

        Catch = [
          # What hangs once will hang again, and the next run is near.
          { ErrorEquals = ["States.Timeout"], ResultPath = "$.failure", Next = "Failed" },
          { ErrorEquals = ["States.ALL"], ResultPath = "$.failure", Next = "Did a task run" },
        ]
      }

      # ECS's own refusals have another error, or a cause that is no description of a task.
      "Did a task run" = {
        Type = "Choice"
        Choices = [{
          And = [
            { Variable = "$.failure.Error", StringEquals = "States.TaskFailed" },
            { Variable = "$.failure.Cause", StringMatches = "{*}" },
          ]
          Next = "Read the task"
        }]
        Default = "Attempts left"
      }

      "Read the task" = {
        Type       = "Pass"
        Parameters = { "task.$" = "States.StringToJson($.failure.Cause)" }
        ResultPath = "$.read"
        Next       = "Find the container"
      }

      "Find the container" = {
        Type       = "Pass"
        Parameters = { "container.$" = "States.ArrayGetItem($.read.task.Containers[?(@.Name=='${var.task.container_name}')], 0)" }
        ResultPath = "$.read"
        Next       = "Can another attempt help"
      }

      "Can another attempt help" = {
        Type = "Choice"
        Choices = [
          # Step Functions takes any container's exit code for the task's, also that of a side-car that is killed at the end.
          {
            And = [
              { Variable = "$.read.container.ExitCode", IsPresent = true },
              { Variable = "$.read.container.ExitCode", NumericEquals = var.identity.contract.exit_codes.finished },
            ]
            Next = "Finished"
          },
          {
            And = [
              { Variable = "$.read.container.ExitCode", IsPresent = true },
              { Variable = "$.read.container.ExitCode", NumericEquals = var.identity.contract.exit_codes.configuration },
            ]
            Next = "Failed"
          },
        ]
        Default = "Attempts left"
      }

      "Attempts left" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.attempt", NumericLessThan = var.attempts, Next = "Pause" }]
        Default = "Failed"
      }

      Pause = {
        Type        = "Wait"
        SecondsPath = "$.pause"
        Next        = "Next attempt"
      }

      "Next attempt" = {
        Type = "Pass"
        Parameters = {
          "scheduled_time.$" = "$.scheduled_time"
          "attempt.$"        = "States.MathAdd($.attempt, 1)"
          "pause.$"          = "States.MathAdd($.pause, $.pause)"
        }
        Next = "Run"
      }

      Failed = {
        Type = "Fail"
        # Not the attempt's own, which begins with `States.` and may be given by Step Functions only.
        Error     = "RunFailed"
        CausePath = "$.failure.Cause"
      }

      Finished = { Type = "Succeed" }
    }
  }
}
