locals {
  ecs_arn = "arn:${local.partition}:ecs:${local.region}:${local.account_id}"

  # What the agent does with the role; images and logs are the business of a task's execution role.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
  agent_statements = [
    {
      Effect = "Allow"
      Action = ["ecs:DiscoverPollEndpoint"]
      # The action allows nothing finer.
      Resource = ["*"]
    },
    {
      Effect = "Allow"
      Action = [
        "ecs:DeregisterContainerInstance",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
      ]
      Resource = ["${local.ecs_arn}:cluster/${var.name}"]
    },
    {
      Effect   = "Allow"
      Action   = ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
      Resource = ["${local.ecs_arn}:container-instance/${var.name}/*"]
    },
  ]

  # https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
  session_statements = [
    {
      Effect   = "Allow"
      Action   = ["ssm:UpdateInstanceInformation"]
      Resource = ["arn:${local.partition}:ec2:${local.region}:${local.account_id}:instance/*"]
    },
    {
      Effect = "Allow"
      Action = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      # The actions allow nothing finer.
      Resource = ["*"]
    },
  ]
}

resource "aws_iam_role" "this" {
  name        = local.names.instance_role
  description = "What the instances of the ECS cluster ${var.name} may do"
  # EC2 gives a role to instances of this account only, and knows no condition on the source.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "ecs" {
  name = "ecs"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.agent_statements
  })
}

resource "aws_iam_role_policy" "session_manager" {
  count = var.session_manager ? 1 : 0

  name = "session-manager"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.session_statements
  })
}

resource "aws_iam_instance_profile" "this" {
  name = local.names.instance_role
  role = aws_iam_role.this.name

  tags = local.tags
}
