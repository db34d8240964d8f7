"""Which digest a tag stands for, asked of the registry that has the image.

ECR is asked by its API, any other registry as the distribution specification says:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry
"""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from baselib.release.errors import ReleaseError, explained
from baselib.release.image import Image, is_digest

_ECR: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>.+)")
_KINDS: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK: Final = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_SECONDS: Final = 20.0


def digest_of(image: Image) -> str:
    """The digest of an image, which exists.

    Args:
        image: The image, by tag or by digest.

    Raises:
        ReleaseError: There is no such image, or the registry does not say.
    """
    found = _ECR.fullmatch(image.repository)
    digest = _in_ecr(image, found) if found else _in_a_registry(image)
    if is_digest(image.version) and digest != image.version:
        raise ReleaseError(f"{image}: the registry answered with another image, {digest}")
    return digest


def _in_ecr(image: Image, found: re.Match[str]) -> str:
    import boto3  # noqa: PLC0415 - the help of a command needs none
    from botocore.exceptions import ClientError  # noqa: PLC0415

    wanted = {"imageDigest" if is_digest(image.version) else "imageTag": image.version}
    with explained(f"look up the image {image}"):
        client = boto3.client("ecr", region_name=found["region"])
        try:
            answer = client.describe_images(
                registryId=found["account"], repositoryName=found["name"], imageIds=[wanted]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ImageNotFoundException", "RepositoryNotFoundException"}:
                raise ReleaseError(f"there is no image {image}") from error
            raise
    return str(answer["imageDetails"][0]["imageDigest"])


def _in_a_registry(image: Image) -> str:
    import urllib3  # noqa: PLC0415

    registry, _, path = image.repository.partition("/")
    if not path:
        raise ReleaseError(f"{image.repository} is no repository: accepted is REGISTRY/NAME")
    scheme = "http" if _LOOPBACK.fullmatch(registry) else "https"
    url = f"{scheme}://{registry}/v2/{path}/manifests/{image.version}"
    pool = urllib3.PoolManager(timeout=_SECONDS, retries=urllib3.Retry(2))
    headers = {"Accept": _KINDS}
    try:
        answer = pool.request("HEAD", url, headers=headers)
        if answer.status == 401:
            headers["Authorization"] = _authorization(pool, registry, answer.headers.get("WWW-Authenticate", ""))
            answer = pool.request("HEAD", url, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise ReleaseError(f"the registry {registry} does not answer: {error}") from error
    if answer.status == 404:
        raise ReleaseError(f"there is no image {image}")
    digest = str(answer.headers.get("Docker-Content-Digest", ""))
    if answer.status != 200 or not is_digest(digest):
        raise ReleaseError(
            f"the registry {registry} answered with HTTP status {answer.status} and no digest for {image}"
        )
    return digest


def _authorization(pool: Any, registry: str, challenge: str) -> str:
    kind, _, parameters = challenge.partition(" ")
    stored = _stored_credentials(registry)
    if kind.lower() == "basic" and stored:
        return f"Basic {stored}"
    said = dict(_CHALLENGE.findall(parameters))
    realm = said.get("realm", "")
    # Credentials go to whom the registry names, so that has to be as safe as the registry.
    if kind.lower() != "bearer" or not (realm.startswith("https://") or _LOOPBACK.fullmatch(urlsplit(realm).netloc)):
        raise ReleaseError(f"the registry {registry} wants credentials; docker login {registry} stores some")
    query = urlencode({name: said[name] for name in ("service", "scope") if name in said})
    headers = {"Authorization": f"Basic {stored}"} if stored else {}
    answer = pool.request("GET", f"{realm}?{query}", headers=headers)
    try:
        given = json.loads(answer.data)
        return f"Bearer {given.get('token') or given['access_token']}"
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"the registry {registry} gave no token (HTTP status {answer.status})") from error


def _stored_credentials(registry: str) -> str | None:
    """What `docker login` stored, as long as it is in docker's own file."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))["auths"][registry]["auth"]
        base64.b64decode(stored, validate=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(stored)
