variable "services" {
  description = "Kind of each service of the product, by the service's name."
  type        = map(string)
  default = {
    api    = "web"
    mailer = "worker-daemon"
    report = "worker-cron"
  }
}

module "fleet_dashboard" {
  source = "../../modules/fleet_dashboard"

  environment = "prod"
  product     = "duolingo"
  owner       = "Learning Team"
  ecs_cluster = "prod"
  services    = var.services
}

output "url" {
  description = "Where the dashboard is in the console."
  value       = module.fleet_dashboard.url
}
