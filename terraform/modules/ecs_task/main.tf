data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  # `name` became deprecated in version 6 of the provider; `id` is the same in both.
  region = data.aws_region.this.id

  names   = var.identity.names
  fargate = var.launch_type == "FARGATE"

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
  fargate_memory = {
    "256"   = [512, 1024, 2048]
    "512"   = range(1024, 4097, 1024)
    "1024"  = range(2048, 8193, 1024)
    "2048"  = range(4096, 16385, 1024)
    "4096"  = range(8192, 30721, 1024)
    "8192"  = range(16384, 61441, 4096)
    "16384" = range(32768, 122881, 8192)
  }

  fargate_sizes = local.fargate ? lookup(local.fargate_memory, tostring(var.cpu), []) : []

  capacity_provider = (
    var.capacity_provider != null ? var.capacity_provider :
    local.fargate ? (var.spot ? "FARGATE_SPOT" : "FARGATE") :
    # A task placed by launch type fails where a cluster is full, and managed scaling never hears of it.
    replace(
      var.identity.contract.cluster.names[var.spot ? "spot_capacity_provider" : "on_demand_capacity_provider"],
      "{cluster}", var.ecs_cluster,
    )
  )

  # Room for one replacement worker beside the one that is about to be retired.
  head_room       = 1.5
  least_head_room = 128

  wanted_hard_limit = max(ceil(var.memory * local.head_room), var.memory + local.least_head_room)
  # On Fargate the size of the task is what there is for the service and the agent together.
  wanted_task_memory = var.memory_hard_limit != null ? var.memory_hard_limit : local.wanted_hard_limit + local.agent_share.hard_limit
  task_memory = (
    !local.fargate || var.memory_hard_limit != null ? local.wanted_task_memory :
    # Without a size that fits, the precondition of the task definition refuses this one.
    try(min([for size in local.fargate_sizes : size if size >= local.wanted_task_memory]...), local.wanted_task_memory)
  )
  memory_hard_limit = (
    local.fargate ? local.task_memory - local.agent_share.hard_limit :
    var.memory_hard_limit != null ? var.memory_hard_limit :
    local.wanted_hard_limit
  )

  own_variables = concat(
    [
      "SERVICE_PRODUCT", "SERVICE_NAME", "SERVICE_OWNER", "SERVICE_ENVIRONMENT", "SERVICE_RELEASE",
      "MEMORY_LIMIT_MIB", "DRAIN_SECONDS", "STOP_SECONDS", "AWS_REGION",
    ],
    keys(local.statsd_variables),
  )

  environment_variables = merge(var.environment_variables, var.kind_variables, local.statsd_variables, {
    SERVICE_PRODUCT     = var.identity.tags.product
    SERVICE_NAME        = var.identity.tags.service
    SERVICE_OWNER       = var.identity.tags.owner
    SERVICE_ENVIRONMENT = var.identity.tags.environment
    SERVICE_RELEASE     = var.service_version
    MEMORY_LIMIT_MIB    = tostring(var.memory)
    DRAIN_SECONDS       = tostring(var.timing.drain)
    STOP_SECONDS        = tostring(var.timing.stop)
    AWS_REGION          = local.region
  })

  repository = var.image_repository != null ? var.image_repository : (
    "${local.account_id}.dkr.ecr.${local.region}.${data.aws_partition.this.dns_suffix}/${local.names.ecr_repository}"
  )
  image = join(startswith(var.service_version, "sha256:") ? "@" : ":", [local.repository, var.service_version])

  # An image from elsewhere needs no permission of ECR.
  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
  ecr_pattern = "^([0-9]{12})\\.dkr[.-]ecr(?:-fips)?\\.([a-z0-9-]+)\\.[a-z.]+/(.+)$"
  ecr_repository_arns = distinct([
    for repository in compact([local.repository, try(regex("^([^@]+?)(?::[^:/@]+)?(?:@|$)", var.metrics_agent_image)[0], "")]) :
    format("arn:${local.partition}:ecr:%[2]s:%[1]s:repository/%[3]s", regex(local.ecr_pattern, repository)...)
    if can(regex(local.ecr_pattern, repository))
  ])

  log_configuration = {
    for stream in [local.names.ecs_service, local.agent_name] : stream => {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = stream
        # When CloudWatch stalls, lines are lost rather than requests held up.
        "mode"            = "non-blocking"
        "max-buffer-size" = "4m"
      }
    }
  }

  container = merge(
    {
      name              = local.names.ecs_service
      image             = local.image
      essential         = true
      cpu               = var.cpu - local.agent_share.cpu
      memory            = local.memory_hard_limit
      memoryReservation = var.memory

      environment = [for name, value in local.environment_variables : { name = name, value = value }]
      secrets     = [for name, arn in var.secrets : { name = name, valueFrom = arn }]

      # Port 0 lets the host choose, so that several tasks of one service fit on it.
      portMappings = [
        for port in var.ports : { containerPort = port, hostPort = local.fargate ? port : 0, protocol = "tcp" }
      ]

      readonlyRootFilesystem = true
      # gunicorn keeps its workers' heartbeats in files there.
      mountPoints = local.fargate ? [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }] : []
      linuxParameters = merge(
        {
          initProcessEnabled = true
          capabilities       = { add = [], drop = ["ALL"] }
        },
        # Fargate refuses tmpfs.
        local.fargate ? {} : { tmpfs = [{ containerPath = "/tmp", size = 64, mountOptions = ["nosuid", "nodev", "noexec"] }] },
      )

      stopTimeout = var.timing.stop_timeout

      logConfiguration = local.log_configuration[local.names.ecs_service]

      # ECS answers with these, and the next plan would see a difference.
      volumesFrom    = []
      systemControls = []
    },
    var.health_check ? {
      healthCheck = {
        command     = concat(["CMD"], var.identity.contract.health_check_command)
        interval    = 10
        timeout     = 5
        retries     = 3
        startPeriod = 60
      }
    } : {},
    local.link,
  )
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.names.log_group
  retention_in_days = var.log_retention_days

  tags = var.identity.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.names.task_family
  requires_compatibilities = [var.launch_type]
  network_mode             = local.fargate ? "awsvpc" : "bridge"
  # On EC2 a size of the task would replace the container's reservation as the 100 % of the memory metric.
  cpu                = local.fargate ? var.cpu : null
  memory             = local.fargate ? local.task_memory : null
  task_role_arn      = aws_iam_role.task.arn
  execution_role_arn = aws_iam_role.execution.arn
  # A roll-back needs the revision that came before.
  skip_destroy = true

  container_definitions = jsonencode(concat([local.container], local.metered ? [local.agent_container] : []))

  dynamic "volume" {
    for_each = !local.fargate ? [] : concat(["tmp"], local.metered ? keys(local.agent.writable_folders) : [])

    content {
      name = volume.value
    }
  }

  tags = var.identity.tags

  lifecycle {
    precondition {
      condition     = !local.fargate || contains(local.fargate_sizes, local.task_memory)
      error_message = "On Fargate, a task of ${var.cpu} CPU units has ${join(", ", local.fargate_sizes)} MiB, and none of these is the ${local.task_memory} MiB wanted (memory and half as much again, at least ${local.least_head_room} MiB more, and ${local.agent_share.hard_limit} MiB for the CloudWatch agent, unless memory_hard_limit says otherwise)."
    }

    precondition {
      condition     = local.memory_hard_limit > var.memory
      error_message = "Of memory_hard_limit, ${local.agent_share.hard_limit} MiB are the CloudWatch agent's on Fargate, and the ${local.memory_hard_limit} MiB that are left are not above memory (${var.memory} MiB), so the kernel would kill the container before baselib restarts a worker."
    }
  }
}

resource "aws_security_group" "this" {
  count = local.fargate ? 1 : 0

  name        = local.names.security_group
  description = "Tasks of ${local.names.ecs_service}"
  vpc_id      = var.vpc_id

  tags = var.identity.tags
}

resource "aws_vpc_security_group_egress_rule" "this" {
  count = local.fargate ? 1 : 0

  security_group_id = aws_security_group.this[0].id
  description       = "AWS and the services that this one calls"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"

  tags = var.identity.tags
}
