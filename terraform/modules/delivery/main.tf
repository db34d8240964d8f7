data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  # `name` became deprecated in version 6 of the provider; `id` is the same in both.
  region = data.aws_region.this.id

  # Any environment will do for what has none in its name.
  names = module.names[var.environments[0]].names
}

module "names" {
  source   = "../names"
  for_each = toset(var.environments)

  product     = var.product
  service     = var.service
  environment = each.value
  owner       = var.owner
  account_id  = local.account_id
  region      = local.region
}

module "data_store_names" {
  source   = "../names"
  for_each = local.data_stores

  product     = var.product
  service     = var.service
  subservice  = each.value.subservice
  environment = each.value.environment
  owner       = var.owner
  account_id  = local.account_id
  region      = local.region
}

module "state" {
  source   = "../names"
  for_each = toset(var.environments)

  product     = "platform"
  service     = "terraform"
  environment = each.value
  owner       = var.owner
  account_id  = local.account_id
  region      = local.region
}

resource "aws_ecr_repository" "this" {
  name = local.names.ecr_repository
  # A release is the digest of a tag; a tag that moved would be another image under the same name.
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }

  tags = local.shared_tags
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag, or never had one"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 14
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "All but the newest images"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = var.keep_images
        }
        action = { type = "expire" }
      },
    ]
  })
}
