"""Buckets: versions."""

from typing import Any

from moto.s3.models import FakeDeleteMarker

from tests.terraform.emulator.patching import missing


@missing(FakeDeleteMarker, "dispose")
def dispose(self: Any) -> None:
    """moto cannot delete a delete marker that is the last version of its key, and answers with 500.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManagingDelMarkers.html
    """
