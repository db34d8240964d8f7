# How large the service is in each environment.
locals {
  sizes = {
    "staging" = {
      min_count   = 2
      max_count   = 4
      cpu         = 512
      memory      = 512
      ecs_cluster = "staging"
      # The host name that clients use.
      host = "duolingo-api.staging.example.com"
    }
    "prod" = {
      min_count   = 2
      max_count   = 4
      cpu         = 512
      memory      = 512
      ecs_cluster = "prod"
      # The host name that clients use.
      host = "duolingo-api.prod.example.com"
    }
  }
}
