# How large the service is in each environment.
locals {
  sizes = {
    "prod" = {
      cpu         = 512
      memory      = 512
      ecs_cluster = "prod"
    }
  }
}
