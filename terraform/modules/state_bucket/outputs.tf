output "bucket" {
  description = "Name of the bucket, for `bucket` in a service's terraform/environments/<environment>.s3.tfbackend."
  value       = aws_s3_bucket.this.id

  # A state that is written before these would be less protected than the next.
  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_policy.this,
  ]
}

output "region" {
  description = "Region of the bucket, for `region` in the same file."
  value       = data.aws_region.this.id
}

output "arn" {
  description = "ARN of the bucket."
  value       = local.arn
}
