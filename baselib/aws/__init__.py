"""AWS clients that act as the task's own role and as nobody else.

from baselib import aws

aws.client("s3").get_object(Bucket=..., Key=...)
"""

from baselib.aws.clients import client, configure_aws, reset, resource
from baselib.aws.credentials import CredentialPolicyError

__all__ = ["CredentialPolicyError", "client", "configure_aws", "reset", "resource"]
