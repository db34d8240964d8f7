# What the task may do in AWS besides what its module grants, and what it is told besides the contract's variables.
locals {
  # For instance data.aws_iam_policy_document.task.json, with the actions and resources that the code uses and no others.
  task_policy_json = null

  environment_variables = {

    DUOLINGO_AUTH_URL = "http://duolingo-auth.${var.environment}.internal"

    DUOLINGO_RECS_URL = "http://duolingo-recs.${var.environment}.internal"
  }

  # Names of environment variables, and the ARN of the secret that holds the value of each.
  secrets = {}
}
