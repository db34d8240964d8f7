locals {
  wanted = {
    for key, value in var.given :
    key => replace(var.identity.contract.look_up[key], "{environment}", var.identity.tags.environment) if value == null
  }
}

data "aws_ssm_parameter" "this" {
  for_each = local.wanted

  name = each.value
}

locals {
  unreadable = [for key, parameter in data.aws_ssm_parameter.this : key if !try(length(parameter.insecure_value) > 0, false)]
}
