locals {
  family = (
    var.engine == "aurora-postgresql"
    ? "aurora-postgresql${split(".", local.engine_version)[0]}"
    : "aurora-mysql${join(".", slice(split(".", local.engine_version), 0, 2))}"
  )

  standard_parameters = {
    aurora-postgresql = {
      "rds.force_ssl"              = "1"
      "log_min_duration_statement" = tostring(var.slow_query_milliseconds)
      "log_lock_waits"             = "1"
      "log_statement"              = "ddl"
    }
    aurora-mysql = {
      "require_secure_transport"   = "ON"
      "slow_query_log"             = "1"
      "long_query_time"            = tostring(var.slow_query_milliseconds / 1000)
      "log_output"                 = "FILE"
      "innodb_print_all_deadlocks" = "1"
    }
  }[var.engine]

  parameters = merge(
    { for name, value in local.standard_parameters : name => { value = value, apply_method = "immediate" } },
    var.parameters,
  )
}

resource "aws_rds_cluster_parameter_group" "this" {
  # A group is of one family: that of another major version needs another name while both exist.
  name        = "${local.cluster_identifier}-${replace(local.family, ".", "-")}"
  description = "Encrypted connections, and slow queries logged"
  family      = local.family

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply_method
    }
  }

  tags = module.names.tags

  lifecycle {
    create_before_destroy = true
  }
}

# Has nothing in it, so that the cluster's parameters count; changing from AWS's own group later would need a restart.
resource "aws_db_parameter_group" "this" {
  name        = "${local.cluster_identifier}-${replace(local.family, ".", "-")}"
  description = "Parameters of single instances"
  family      = local.family

  tags = module.names.tags

  lifecycle {
    create_before_destroy = true
  }
}
