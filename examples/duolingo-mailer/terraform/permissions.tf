# What the task may do in AWS besides what its module grants, and what it is told besides the contract's variables.
locals {
  # For instance data.aws_iam_policy_document.task.json, with the actions and resources that the code uses and no others.
  task_policy_json = null

  environment_variables = {}

  # Names of environment variables, and the ARN of the secret that holds the value of each.
  secrets = {}
}
