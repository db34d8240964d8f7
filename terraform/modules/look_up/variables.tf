variable "identity" {
  description = "The whole of module `names`, called with what identifies the service."
  type = object({
    names    = map(string)
    tags     = map(string)
    contract = any
  })
  nullable = false
}

variable "given" {
  description = "Each thing wanted, by its key in the contract's look-up table: its value, or null to read the SSM parameter."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.given), keys(var.identity.contract.look_up))) == 0
    error_message = "Only ${join(", ", keys(var.identity.contract.look_up))} can be looked up."
  }

  validation {
    condition     = alltrue([for value in values(var.given) : value == null ? true : length(value) > 0])
    error_message = "What is given is not empty: ${join(", ", [for key, value in var.given : key if value == ""])}. Null looks it up."
  }
}
