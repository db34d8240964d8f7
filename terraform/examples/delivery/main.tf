# Applied by the platform's operators, once for each account.
provider "aws" {
  region = "us-east-1"
}

# One for the whole account. IAM knows GitHub's certificates by itself and needs no thumbprint.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "delivery" {
  source = "../../modules/delivery"

  product                  = "duolingo"
  service                  = "api"
  owner                    = "Learning Team"
  kind                     = "web"
  environments             = ["staging", "prod"]
  data_stores              = ["postgres", "redis"]
  github_repository        = "duolingo/duolingo-api"
  github_oidc_provider_arn = aws_iam_openid_connect_provider.github.arn
}

output "repository_url" {
  description = "Where the image is pushed to."
  value       = module.delivery.repository_url
}
