mock_provider "aws" {
  source = "../../testing"
}

variables {
  environment = "prod"
  owner       = "Platform Team"
}

run "a_bucket" {
  assert {
    condition     = aws_s3_bucket.this.bucket == "platform-terraform-prod-123456789012-us-east-1"
    error_message = "the name holds the environment, the account and the region"
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "an overwritten state can be brought back"
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls
      && aws_s3_bucket_public_access_block.this.block_public_policy
      && aws_s3_bucket_public_access_block.this.ignore_public_acls
      && aws_s3_bucket_public_access_block.this.restrict_public_buckets
      && aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    )
    error_message = "nobody else gets in"
  }
  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    )
    error_message = "it is encrypted"
  }
  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Effect == "Deny"
      && jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
      && contains(jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Resource, "arn:aws:s3:::platform-terraform-prod-123456789012-us-east-1/*")
    )
    error_message = "TLS only"
  }
  assert {
    condition     = aws_s3_bucket.this.tags["environment"] == "prod" && aws_s3_bucket.this.tags["product"] == "platform"
    error_message = "it is billed to the platform"
  }
}

run "with_a_key" {
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
      && one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled
    )
    error_message = "the key is the caller's"
  }
}

run "refuses_a_key_that_is_none" {
  command = plan
  variables {
    kms_key_arn = "alias/states"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_to_keep_for_a_day" {
  command = plan
  variables {
    old_versions_days = 1
  }
  expect_failures = [var.old_versions_days]
}
