data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.id
}

resource "aws_iam_role" "monitoring" {
  name        = module.names.names.database_monitoring_role
  description = "Enhanced Monitoring of the instances of ${local.cluster_identifier}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:rds:${local.region}:${local.account_id}:db:${local.identifier}-*" }
      }
    }]
  })

  tags = module.names.tags
}

resource "aws_iam_role_policy" "monitoring" {
  name = "logs"
  role = aws_iam_role.monitoring.id
  # Where Enhanced Monitoring writes: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Monitoring.OS.html
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
        Resource = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:RDSOSMetrics", "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:RDSOSMetrics:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:RDSOSMetrics:log-stream:db-*"]
      },
    ]
  })
}

locals {
  size = reverse(split(".", var.instance_class))[0]

  # GiB of memory: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Summary.html
  memory = (
    local.serverless ? 2 * try(var.serverless_capacity.max, 0)
    : startswith(var.instance_class, "db.t") ? { small = 2, medium = 4, large = 8 }[local.size]
    : (startswith(var.instance_class, "db.x") ? 32 : 16)
    * (local.size == "large" ? 1 : 2 * tonumber(coalesce(replace(local.size, "xlarge", ""), "1")))
  )
  memory_bytes = local.memory * pow(1024, 3)

  # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html and
  # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html, which say what
  # AWS allows with the memory of the class; a serverless cluster that shrinks to half a unit or less has at most 2000.
  allowed_connections = {
    aurora-postgresql = min(local.memory_bytes / 9531392, try(var.serverless_capacity.min <= 0.5, false) ? 2000 : 5000)
    aurora-mysql      = max(log(local.memory_bytes / 805306368, 2) * 45, log(local.memory_bytes / 8187281408, 2) * 1000)
  }[var.engine]
  max_connections = try(tonumber(var.parameters["max_connections"].value), local.allowed_connections)

  # All instances together.
  cluster = { DBClusterIdentifier = local.cluster_identifier }
  # Not before an instance is there: until then nothing reports, which would page somebody.
  writer = { DBClusterIdentifier = aws_rds_cluster_instance.this[0].cluster_identifier, Role = "WRITER" }

  # Thresholds without a source of their own are those of
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html
  # where it has the metric.
  measures = {
    "aurora-no-writer" = {
      metrics      = { reports = { namespace = "AWS/RDS", name = "DatabaseConnections", statistic = "SampleCount", dimensions = local.writer } }
      comparison   = "LessThanThreshold"
      threshold    = 1
      periods      = 5
      missing_data = "breaching"
    }
    "aurora-cpu-high" = {
      metrics   = { cpu = { namespace = "AWS/RDS", name = "CPUUtilization", statistic = "Maximum", dimensions = local.cluster } }
      threshold = 90
      periods   = 5
    }
    "aurora-memory-low" = {
      metrics    = { memory = { namespace = "AWS/RDS", name = "FreeableMemory", statistic = "Minimum", dimensions = local.cluster } }
      comparison = "LessThanThreshold"
      threshold  = floor(local.memory_bytes * 0.05)
      periods    = 15
    }
    "aurora-connections-high" = {
      metrics   = { connections = { namespace = "AWS/RDS", name = "DatabaseConnections", statistic = "Maximum", dimensions = local.cluster } }
      threshold = floor(local.max_connections * 0.8)
      periods   = 5
    }
    "aurora-local-storage-low" = {
      # An instance has about twice its memory:
      # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.BestPractices.TroubleshootingStorage.html
      metrics    = { storage = { namespace = "AWS/RDS", name = "FreeLocalStorage", statistic = "Minimum", dimensions = local.cluster } }
      comparison = "LessThanThreshold"
      threshold  = floor(local.memory_bytes * 2 * 0.1)
      periods    = 5
    }
    "aurora-replica-lag" = {
      # In milliseconds.
      metrics   = { lag = { namespace = "AWS/RDS", name = "AuroraReplicaLagMaximum", statistic = "Maximum", dimensions = local.cluster } }
      threshold = 1000
      periods   = 5
    }
    "aurora-deadlocks" = {
      # Per second: more than one in a minute.
      metrics    = { deadlocks = { namespace = "AWS/RDS", name = "Deadlocks", statistic = "Average", dimensions = local.writer } }
      threshold  = 1 / 60
      periods    = 15
      datapoints = 5
    }
    "aurora-cleanup-behind" = {
      # https://aws.amazon.com/blogs/database/implement-an-early-warning-system-for-transaction-id-wraparound-in-amazon-rds-for-postgresql/ and
      # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/proactive-insights.history-list.html
      metrics = {
        behind = {
          namespace  = "AWS/RDS"
          name       = var.engine == "aurora-postgresql" ? "MaximumUsedTransactionIDs" : "RollbackSegmentHistoryListLength"
          statistic  = "Maximum"
          dimensions = local.writer
        }
      }
      threshold = var.engine == "aurora-postgresql" ? 1000000000 : 1000000
      period    = 300
      periods   = 3
    }
    "aurora-restart" = {
      # In seconds.
      metrics    = { uptime = { namespace = "AWS/RDS", name = "EngineUptime", statistic = "Minimum", dimensions = local.writer } }
      comparison = "LessThanThreshold"
      threshold  = 300
      periods    = 1
    }
  }
  without = var.num_cluster_instances > 1 ? [] : ["aurora-replica-lag"]
}

module "alarms" {
  source = "../data_store_alarms"

  identity            = module.names
  kind                = "aurora"
  measures            = { for name, measure in local.measures : name => measure if !contains(local.without, name) }
  without             = local.without
  contact             = var.contact
  playbook_url        = var.playbook_url
  emergency_topic_arn = var.emergency_topic_arn
  warning_topic_arn   = var.warning_topic_arn
}
