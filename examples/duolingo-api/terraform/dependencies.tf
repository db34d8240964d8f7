# Template-owned: where the other services answer; permissions.tf may say otherwise.
locals {
  dependency_variables = {
    DUOLINGO_AUTH_URL = "http://duolingo-auth.${var.environment}.internal"

    DUOLINGO_RECS_URL = "http://duolingo-recs.${var.environment}.internal"
  }
}
