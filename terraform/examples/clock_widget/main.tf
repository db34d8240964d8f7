module "names" {
  source = "../../modules/names"

  environment = "prod"
  product     = "platform"
  service     = "clock"
  owner       = "Platform Team"
}

module "clock_widget" {
  source = "../../modules/clock_widget"

  identity = module.names
}

output "function_arn" {
  description = "What the environment publishes as `clock_function_arn`."
  value       = module.clock_widget.function_arn
}
