# Template-owned: each environment's file in environments/ says which bucket holds its state.
terraform {
  backend "s3" {
    # A lock is a file beside the state. How states are encrypted is the bucket's matter: asked for here, it would be
    # with another key.
    use_lockfile = true
  }
}
