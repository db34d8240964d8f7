"""Bringing an image into an environment, and going back: what `baselib plan|release|rollback|delivery` do.

They run in a service's repository, on a pipeline or a person's machine, with AWS credentials of that environment and
Terraform on the PATH. The image's tag is resolved to its digest once, and only the digest is released.
"""
