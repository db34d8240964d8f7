locals {
  # A queue keeps a message for 14 days at most, and so does its dead-letter queue; a message that is sent back from there
  # goes the whole way once more. What nobody removes by then is litter.
  payload_days = 2 * (14 + 14) + 1

  payload_policy = !var.payload_bucket ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${aws_s3_bucket.payloads[0].arn}/*"]
      },
      {
        # Without it S3 answers AccessDenied for an object that is missing.
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [aws_s3_bucket.payloads[0].arn]
      },
    ]
  })
}

resource "aws_s3_bucket" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket = module.names.names.payload_bucket

  tags = module.names.tags
}

resource "aws_s3_bucket_public_access_block" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.payloads[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id

  rule {
    id     = "litter"
    status = "Enabled"

    filter {}

    expiration {
      days = local.payload_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "payloads" {
  count = var.payload_bucket ? 1 : 0

  bucket = aws_s3_bucket.payloads[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action = [
        "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectAttributes", "s3:ListBucket",
        "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject",
      ]
      Resource  = [aws_s3_bucket.payloads[0].arn, "${aws_s3_bucket.payloads[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.payloads]
}
