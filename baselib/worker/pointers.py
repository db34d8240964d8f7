"""The pointer that stands in a message for a body in S3, as Amazon's extended clients write and read it.

The format of https://github.com/awslabs/amazon-sqs-java-extended-client-lib: the body is a JSON array of a Java class's
name and of where the object is, and an attribute has the size of the body that is there.
"""

import json
import re
from typing import Final, NamedTuple

SIZE_ATTRIBUTE: Final = "ExtendedPayloadSize"
"""The attribute with the size in bytes, of type Number."""

SIZE_ATTRIBUTES: Final = (SIZE_ATTRIBUTE, "SQSLargePayloadSize")
"""Its names: today's, and that of the Java library's first version, which the second still writes by default."""

_CLASS: Final = "software.amazon.payloadoffloading.PayloadS3Pointer"
_CLASSES: Final = (_CLASS, "com.amazon.sqs.javamessaging.MessageS3Pointer")
# A bucket's name has at most 63 characters and a key 1,024; each may be escaped.
_LONGEST_CHARACTERS: Final = 8_192
# What the Java library lets into a key's prefix; the rest of its keys is a UUID.
_KEY: Final = re.compile(r"[A-Za-z0-9._/-]{1,1024}")


class Pointer(NamedTuple):
    """Where a body is.

    Attributes:
        bucket: The bucket's name.
        key: The object's key.
    """

    bucket: str
    key: str

    @property
    def well_formed(self) -> bool:
        """Whether the key is one that an extended client may have made."""
        return _KEY.fullmatch(self.key) is not None

    def text(self) -> str:
        """The body of a message that points there."""
        return json.dumps([_CLASS, {"s3BucketName": self.bucket, "s3Key": self.key}], separators=(",", ":"))

    @classmethod
    def read(cls, body: str) -> "Pointer | None":
        """The pointer that a body is, None when it is none.

        Args:
            body: The body of a message.
        """
        if len(body) > _LONGEST_CHARACTERS:
            return None
        try:
            match json.loads(body):
                case [str(name), {"s3BucketName": str(bucket), "s3Key": str(key)}] if name in _CLASSES:
                    return cls(bucket, key)
        except (ValueError, RecursionError):
            return None
        return None
