output "repository_url" {
  description = "Address of the image repository."
  value       = aws_ecr_repository.this.repository_url
}

output "push_role_arn" {
  description = "Role that pushes images."
  value       = aws_iam_role.push.arn
}

output "plan_role_arns" {
  description = "Role that plans, by environment."
  value       = { for environment, role in aws_iam_role.plan : environment => role.arn }

  depends_on = [aws_iam_role_policy_attachment.plan]
}

output "apply_role_arns" {
  description = "Role that applies, by environment."
  value       = { for environment, role in aws_iam_role.apply : environment => role.arn }

  depends_on = [aws_iam_role_policy_attachment.apply]
}
