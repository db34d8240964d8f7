locals {
  domain = {
    ClientId   = data.aws_caller_identity.this.account_id
    DomainName = aws_opensearch_domain.this.domain_name
  }

  # One metric of the domain each. https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cloudwatch-alarms.html
  single = {
    "opensearch-red"              = { metric = "ClusterStatus.red", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, period = 60, periods = 1 }
    "opensearch-yellow"           = { metric = "ClusterStatus.yellow", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, period = 60, periods = 5 }
    "opensearch-writes-blocked"   = { metric = "ClusterIndexWritesBlocked", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, period = 300, periods = 1 }
    "opensearch-snapshot-failure" = { metric = "AutomatedSnapshotFailure", comparison = "GreaterThanOrEqualToThreshold", threshold = 1, period = 60, periods = 1 }
    "opensearch-cpu-high"         = { metric = "CPUUtilization", comparison = "GreaterThanOrEqualToThreshold", threshold = 80, period = 900, periods = 3 }
    "opensearch-memory-pressure"  = { metric = "JVMMemoryPressure", comparison = "GreaterThanOrEqualToThreshold", threshold = 95, period = 60, periods = 3 }
    # In MiB of each node.
    "opensearch-storage-low"      = { metric = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanOrEqualToThreshold", threshold = floor(var.volume_size * 1024 * 0.25), period = 60, periods = 1 }
    "opensearch-storage-critical" = { metric = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanOrEqualToThreshold", threshold = floor(var.volume_size * 1024 * 0.1), period = 60, periods = 1 }
    "opensearch-nodes-missing"    = { metric = "Nodes", statistic = "Minimum", comparison = "LessThanThreshold", threshold = var.instance_count + (var.master_instance_type == null ? 0 : 3), period = 86400, periods = 1 }
    "opensearch-no-master"        = { metric = "MasterReachableFromNode", comparison = "LessThanThreshold", threshold = 1, period = 300, periods = 1 }
  }

  measures = merge(
    {
      for alarm, rule in local.single : alarm => {
        metrics = {
          value = {
            namespace  = "AWS/ES"
            name       = rule.metric
            statistic  = try(rule.statistic, "Maximum")
            dimensions = local.domain
          }
        }
        expression = null
        comparison = rule.comparison
        threshold  = rule.threshold
        period     = rule.period
        periods    = rule.periods
      }
    },
    {
      "opensearch-errors-5xx" = {
        metrics = {
          for id, metric in { errors = "5xx", requests = "OpenSearchRequests" } :
          id => { namespace = "AWS/ES", name = metric, statistic = "Sum", dimensions = local.domain }
        }
        expression = "IF(FILL(requests, 0) > 0, 100 * FILL(errors, 0) / requests, 0)"
        comparison = "GreaterThanOrEqualToThreshold"
        threshold  = 10
        period     = 60
        periods    = 5
      }
      # Reported only when something is wrong with the key.
      "opensearch-key-unavailable" = {
        metrics = {
          for id, metric in { error = "KMSKeyError", inaccessible = "KMSKeyInaccessible" } :
          id => { namespace = "AWS/ES", name = metric, statistic = "Maximum", dimensions = local.domain }
        }
        expression = "MAX(METRICS())"
        comparison = "GreaterThanOrEqualToThreshold"
        threshold  = 1
        period     = 60
        periods    = 1
      }
    },
  )
  without = concat(
    var.master_instance_type == null ? ["opensearch-no-master"] : [],
    var.kms_key_arn == null ? ["opensearch-key-unavailable"] : [],
  )
}

module "alarms" {
  source = "../data_store_alarms"

  identity            = module.names
  kind                = "opensearch"
  measures            = { for name, measure in local.measures : name => measure if !contains(local.without, name) }
  without             = local.without
  contact             = var.contact
  playbook_url        = var.playbook_url
  emergency_topic_arn = var.emergency_topic_arn
  warning_topic_arn   = var.warning_topic_arn
}
