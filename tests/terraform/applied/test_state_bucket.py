"""The state bucket, and Terraform's own backend at work in it: what is stored, locked, and refused."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from botocore.exceptions import ClientError

from tests.terraform.applied.conftest import REGION, World
from tests.terraform.conftest import REPOSITORY

pytestmark = pytest.mark.e2e

BUCKET = f"platform-terraform-prod-123456789012-{REGION}"
KEY = "duolingo-api/prod.tfstate"
SERVICE = """
resource "terraform_data" "waits" {
  input = "made"

  provisioner "local-exec" {
    command = "touch running && while [ ! -e go-on ]; do sleep 0.1; done"
  }
}
"""

Run = CompletedProcess[str]


@pytest.fixture(scope="module")
def world(applied: Callable[..., World]) -> World:
    return applied("state_bucket")


def test_the_second_plan_is_empty(world: World) -> None:
    world.assert_settled()


def test_it_is_versioned_encrypted_private_and_reached_by_tls_only(world: World) -> None:
    s3 = world.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert block == dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    ownership = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"][0]
    assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"
    statement = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"][0]
    assert statement["Effect"] == "Deny"
    assert {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} <= set(statement["Action"])
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags == {
        "environment": "prod",
        "product": "platform",
        "service": "terraform",
        "owner": "Platform Team",
        "managed-by": "terraform",
    }


@pytest.fixture
def service(tmp_path: Path, world: World, applying: Callable[..., Run]) -> Callable[..., Run]:
    """Runs Terraform in a service whose backend is the template's, each person in a folder of their own."""

    def run(who: str, *arguments: str) -> Run:
        folder = tmp_path / who
        if not folder.is_dir():
            folder.mkdir()
            (folder / "backend.tf").write_text((REPOSITORY / "template/terraform/backend.tf").read_text())
            (folder / "main.tf").write_text(SERVICE)
            (folder / "prod.s3.tfbackend").write_text(
                f'bucket = "{world.outputs["bucket"]}"\nkey = "{KEY}"\nregion = "{REGION}"\n'
                # A backend knows nothing of the provider's keys.
                'access_key = "emulator"\nsecret_key = "emulator"\n'
            )
            begun = applying(folder, "init", "-input=false", "-backend-config=prod.s3.tfbackend")
            assert begun.returncode == 0, begun.stdout + begun.stderr
        return applying(folder, *arguments)

    return run


def test_a_second_run_is_refused_while_the_first_goes_on(
    world: World, service: Callable[..., Run], tmp_path: Path
) -> None:
    s3 = world.client("s3")
    results: list[Run] = []
    first = threading.Thread(target=lambda: results.append(service("ana", "apply", "-auto-approve", "-no-color")))
    first.start()
    try:
        while not (tmp_path / "ana" / "running").exists():
            assert first.is_alive(), results[0].stderr[:1500]
        lock = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{KEY}.tflock")["Body"].read())
        refused = service("ben", "apply", "-auto-approve", "-no-color")
    finally:
        (tmp_path / "ana" / "go-on").touch()
        first.join()
    assert refused.returncode == 1
    assert "Error acquiring the state lock" in refused.stdout + refused.stderr
    assert lock["ID"] in refused.stdout + refused.stderr
    assert results[0].returncode == 0, results[0].stdout + results[0].stderr

    state = json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
    assert state["resources"][0]["instances"][0]["attributes"]["input"]["value"] == "made"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key=f"{KEY}.tflock")
    assert world.client("dynamodb").list_tables()["TableNames"] == []
    # The other one sees what the first has made, and may go on.
    settled = service("ben", "plan", "-detailed-exitcode", "-no-color")
    assert settled.returncode == 0, settled.stdout + settled.stderr


def test_an_overwritten_state_can_be_brought_back(world: World) -> None:
    s3 = world.client("s3")
    s3.put_object(Bucket=BUCKET, Key="other/prod.tfstate", Body=b"good")
    s3.put_object(Bucket=BUCKET, Key="other/prod.tfstate", Body=b"bad")
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix="other/")["Versions"]
    old = next(version for version in versions if not version["IsLatest"])
    assert s3.get_object(Bucket=BUCKET, Key="other/prod.tfstate", VersionId=old["VersionId"])["Body"].read() == b"good"


def test_it_is_not_destroyed_while_there_is_a_state_in_it(world: World) -> None:
    refused = world.run("destroy", "-auto-approve", "-input=false", "-no-color", codes=(1,))
    assert "BucketNotEmpty" in refused.stdout + refused.stderr
    s3 = world.client("s3")
    for version in [
        found
        for kind in ("DeleteMarkers", "Versions")
        for found in s3.list_object_versions(Bucket=BUCKET).get(kind, [])
    ]:
        only = {"Objects": [{"Key": version["Key"], "VersionId": version["VersionId"]}]}
        s3.delete_objects(Bucket=BUCKET, Delete=only)
    world.destroy()
    assert s3.list_buckets()["Buckets"] == []
