output "names" {
  description = "Name of every kind of resource in the contract that the given values suffice for."
  value       = tomap(local.names)
}

output "tags" {
  description = "Billing tags."
  value = tomap({
    for key in concat(local.contract.tags, var.subservice == null ? [] : local.contract.data_store_tags) :
    key => local.billing[key]
  })
}

output "contract" {
  description = "The service contract, decoded; nothing else reads the file."
  value       = local.contract
}
