locals {
  nodes = sort(local.redis ? aws_elasticache_replication_group.this[0].member_clusters : [])

  # The worst of all nodes.
  each_node = {
    for alarm, metric in {
      "redis-no-primary"       = { name = "IsMaster", statistic = "Maximum" }
      "redis-cpu-high"         = { name = "EngineCPUUtilization", statistic = "Maximum" }
      "redis-memory-high"      = { name = "DatabaseMemoryUsagePercentage", statistic = "Maximum" }
      "redis-evictions"        = { name = "Evictions", statistic = "Sum" }
      "redis-replication-lag"  = { name = "ReplicationLag", statistic = "Maximum" }
      "redis-connections-high" = { name = "CurrConnections", statistic = "Maximum" }
    } :
    alarm => {
      for number, node in local.nodes : "node${number + 1}" => {
        namespace  = "AWS/ElastiCache"
        name       = metric.name
        statistic  = metric.statistic
        dimensions = { CacheClusterId = node }
      }
    }
  }
  worst = "MAX(METRICS())"

  # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html and
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html
  redis_measures = {
    "redis-no-primary" = {
      metrics      = local.each_node["redis-no-primary"]
      expression   = local.worst
      comparison   = "LessThanThreshold"
      threshold    = 1
      periods      = 5
      missing_data = "breaching"
    }
    "redis-cpu-high" = {
      metrics    = local.each_node["redis-cpu-high"]
      expression = local.worst
      threshold  = 90
      periods    = 5
    }
    "redis-memory-high" = {
      metrics    = local.each_node["redis-memory-high"]
      expression = local.worst
      threshold  = 80
      periods    = 5
    }
    "redis-evictions" = {
      metrics    = local.each_node["redis-evictions"]
      expression = local.worst
      threshold  = 0
      period     = 300
      periods    = 3
    }
    "redis-replication-lag" = {
      # In seconds.
      metrics    = local.each_node["redis-replication-lag"]
      expression = local.worst
      threshold  = 10
      periods    = 5
    }
    "redis-connections-high" = {
      # Of 65,000, which a node has at most: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
      metrics    = local.each_node["redis-connections-high"]
      expression = local.worst
      threshold  = 52000
      periods    = 5
    }
  }

  # All nodes together. Not before they are there: until then nothing reports.
  cluster = { CacheClusterId = try(aws_elasticache_cluster.this[0].cluster_id, "") }

  memcached_measures = {
    "memcached-down" = {
      metrics      = { reports = { namespace = "AWS/ElastiCache", name = "CPUUtilization", statistic = "SampleCount", dimensions = local.cluster } }
      comparison   = "LessThanThreshold"
      threshold    = 1
      periods      = 5
      missing_data = "breaching"
    }
    "memcached-cpu-high" = {
      metrics   = { cpu = { namespace = "AWS/ElastiCache", name = "CPUUtilization", statistic = "Maximum", dimensions = local.cluster } }
      threshold = 90
      periods   = 5
    }
    "memcached-evictions" = {
      metrics   = { evictions = { namespace = "AWS/ElastiCache", name = "Evictions", statistic = "Sum", dimensions = local.cluster } }
      threshold = 0
      period    = 300
      periods   = 3
    }
    "memcached-swap" = {
      # In bytes.
      metrics   = { swap = { namespace = "AWS/ElastiCache", name = "SwapUsage", statistic = "Maximum", dimensions = local.cluster } }
      threshold = 50 * 1000 * 1000
      periods   = 5
    }
  }

  measures = merge(
    { for name, measure in local.redis_measures : name => measure if local.redis && !contains(local.without, name) },
    { for name, measure in local.memcached_measures : name => measure if !local.redis },
  )
  # One node has no replica, and reports no lag.
  without = local.redis && var.num_nodes == 1 ? ["redis-replication-lag"] : []
}

module "alarms" {
  source = "../data_store_alarms"

  identity            = module.names
  kind                = var.engine
  measures            = local.measures
  without             = local.without
  contact             = var.contact
  playbook_url        = var.playbook_url
  emergency_topic_arn = var.emergency_topic_arn
  warning_topic_arn   = var.warning_topic_arn
}
