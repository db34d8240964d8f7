locals {
  wanted = {
    for key, value in var.given :
    key => replace(var.identity.contract.look_up[key], "{environment}", var.identity.tags.environment) if value == null
  }
}

data "aws_ssm_parameter" "this" {
  for_each = local.wanted

  name = each.value

  lifecycle {
    postcondition {
      # A SecureString has no value that may be shown in a plan.
      condition     = try(length(self.insecure_value) > 0, false)
      error_message = "SSM parameter ${each.value} (${each.key}) must be of type String or StringList and hold a value."
    }
  }
}
