locals {
  published = merge(
    {
      vpc_id                              = local.network.vpc_id
      private_subnet_ids                  = join(",", local.private_subnet_ids)
      public_subnet_ids                   = join(",", local.public_subnet_ids)
      internal_load_balancer_listener_arn = module.load_balancer["internal"].listener_arn
      emergency_topic_arn                 = module.alarm_topics.emergency_topic_arn
      warning_topic_arn                   = module.alarm_topics.warning_topic_arn
      cluster_security_group_id           = module.ecs_cluster.security_group_id
      clock_function_arn                  = module.clock_widget.function_arn
      repositories_url                    = var.repositories_url
      sentry_url                          = var.sentry_url
    },
    var.external_load_balancer ? { external_load_balancer_listener_arn = module.load_balancer["external"].listener_arn } : {},
  )
}

resource "aws_ssm_parameter" "this" {
  for_each = local.published

  name        = replace(local.contract.look_up[each.key], "{environment}", var.environment)
  description = "Where the services of ${var.environment} find ${each.key}"
  type        = endswith(each.key, "_ids") ? "StringList" : "String"
  # None of these is a secret, and a plan should show what changes.
  insecure_value = each.value

  tags = module.names.tags
}
