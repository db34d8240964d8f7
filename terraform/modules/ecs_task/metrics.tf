# The CloudWatch agent beside the service takes its statsd metrics; docs/decisions/0012 says why it is set up like this.
locals {
  metered = var.metrics_agent_image != null
  metrics = var.identity.contract.metrics

  # What a container link makes a host name of, so none of the names that a service can have: these have a hyphen.
  agent_name = "metrics"

  agent = {
    cpu              = 16
    memory           = 64
    hard_limit       = 128
    heap             = 96
    stop_timeout     = 10
    writable_folders = { for name in ["etc", "var"] : "metrics-${name}" => "/opt/aws/amazon-cloudwatch-agent/${name}" }
  }
  agent_share = local.metered ? local.agent : merge(local.agent, { cpu = 0, memory = 0, hard_limit = 0 })

  agent_configuration = {
    agent = {
      region        = local.region
      omit_hostname = true
    }
    metrics = {
      namespace              = local.metrics.namespace
      aggregation_dimensions = [[local.metrics.dimension]]
      metrics_collected = {
        statsd = {
          service_address              = ":${local.metrics.port}"
          metrics_collection_interval  = 10
          metrics_aggregation_interval = 60
          # The names stay as they are sent.
          metric_separator = "."
          # Without tags of their own they say what the sums over all tags say, and each series is paid for.
          drop_original_metrics = [for name in local.metrics.untagged : "${var.identity.tags.product}.${var.identity.tags.service}.${name}"]
        }
      }
    }
  }

  agent_container = merge(
    {
      name  = local.agent_name
      image = var.metrics_agent_image
      # Without metrics the service still serves; and a cron's task ends with its job.
      essential         = false
      cpu               = local.agent.cpu
      memory            = local.agent.hard_limit
      memoryReservation = local.agent.memory

      environment = [
        { name = "CW_CONFIG_CONTENT", value = jsonencode(local.agent_configuration) },
        # The heap gives way before the hard limit is reached.
        { name = "GOMEMLIMIT", value = "${local.agent.heap}MiB" },
      ]

      restartPolicy = {
        enabled = true
        # That it ended by itself is no crash.
        ignoredExitCodes     = [0]
        restartAttemptPeriod = 60
      }

      readonlyRootFilesystem = true
      mountPoints = local.fargate ? [
        for volume, path in local.agent.writable_folders : { sourceVolume = volume, containerPath = path, readOnly = false }
      ] : []
      linuxParameters = merge(
        {
          initProcessEnabled = true
          capabilities       = { add = [], drop = ["ALL"] }
        },
        local.fargate ? {} : {
          tmpfs = [for path in values(local.agent.writable_folders) : { containerPath = path, size = 8, mountOptions = ["nosuid", "nodev", "noexec"] }]
        },
      )

      stopTimeout      = local.agent.stop_timeout
      logConfiguration = local.log_configuration[local.agent_name]

      portMappings   = []
      secrets        = []
      volumesFrom    = []
      systemControls = []
    },
    # A volume of Fargate belongs to root, and the agent's image says nothing else about its folders.
    local.fargate ? {} : { user = "1000:1000" },
  )

  # In bridge mode each container has an address of its own, and a link gives it a name.
  link = merge(
    # The agent stops after the service, so that what the service sends while it drains arrives.
    local.metered ? { dependsOn = [{ containerName = local.agent_name, condition = "START" }] } : {},
    local.metered && !local.fargate ? { links = [local.agent_name] } : {},
  )

  statsd_variables = !local.metered ? {} : {
    STATSD_HOST    = local.fargate ? "127.0.0.1" : local.agent_name
    STATSD_PORT    = tostring(local.metrics.port)
    STATSD_DIALECT = "dogstatsd"
  }

  agent_policies = !local.metered ? {} : {
    metrics = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect = "Allow"
        Action = ["cloudwatch:PutMetricData"]
        # The action allows no resource; the namespace is what confines it.
        Resource  = ["*"]
        Condition = { StringEquals = { "cloudwatch:namespace" = local.metrics.namespace } }
      }]
    })
  }
}
