locals {
  contract = jsondecode(file("${path.module}/../../../baselib/contract/contract.json"))
  rules    = local.contract.names

  # Without the count, service `a` with `b-c` and service `a-b` with `c` would share a name.
  words                  = var.subservice == null ? 1 : length(split("-", var.subservice))
  data_store_environment = local.words == 1 ? var.environment : "${var.environment}-${local.words}"

  hash_digits = 8

  values = {
    product     = var.product
    service     = var.service
    environment = var.environment
    subservice  = var.subservice
    account     = var.account_id
    region      = var.region
  }

  applicable = {
    for kind, resource in local.contract.resources : kind => resource
    if alltrue([for key, value in local.values : value != null || !strcontains(resource.name, "{${key}}")])
  }

  full = {
    for kind, resource in local.applicable : kind => replace(replace(replace(replace(replace(replace(
      resource.name,
      "{product}", var.product),
      "{service}", var.service),
      "{environment}", strcontains(resource.name, "{subservice}") ? local.data_store_environment : var.environment),
      "{subservice}", coalesce(var.subservice, "-")),
      "{account}", coalesce(var.account_id, "-")),
    "{region}", coalesce(var.region, "-"))
  }

  names = {
    for kind, name in local.full : kind => (
      try(local.applicable[kind].hashed, false) && length(name) > local.applicable[kind].limit
      ? join("-", [
        replace(substr(name, 0, local.applicable[kind].limit - local.hash_digits - 1), "/-+$/", ""),
        substr(sha256(name), 0, local.hash_digits),
      ])
      : name
    )
  }

  billing = {
    environment  = var.environment
    product      = var.product
    service      = var.service
    subservice   = var.subservice
    owner        = var.owner
    "managed-by" = local.contract.managed_by
  }
}
