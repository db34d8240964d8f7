# How large the service is in each environment.
locals {
  sizes = {
    "prod" = {
      min_count   = 2
      max_count   = 4
      cpu         = 512
      memory      = 512
      ecs_cluster = "prod"
    }
  }
}
