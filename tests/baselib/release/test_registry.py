"""Digests of tags, from registries on loopback that answer as the specification says."""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from baselib.release.errors import ReleaseError
from baselib.release.image import Image, is_version
from baselib.release.registry import digest_of

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
TOKEN = "t0ken"
BASIC = base64.b64encode(b"ana:secret").decode()


class Registry:
    """A registry with one image, which may want a token."""

    def __init__(self) -> None:
        self.challenge: str | None = None
        self.digest = DIGEST
        self.asked: list[tuple[str, str | None]] = []
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                registry.asked.append((self.path, self.headers.get("Authorization")))
                if registry.challenge and self.headers.get("Authorization") not in {
                    f"Bearer {TOKEN}",
                    f"Basic {BASIC}",
                }:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", registry.challenge)
                elif self.path in {"/v2/team/api/manifests/1.4.2", f"/v2/team/api/manifests/{DIGEST}"}:
                    self.send_response(200)
                    self.send_header("Docker-Content-Digest", registry.digest)
                else:
                    self.send_response(404)
                self.end_headers()

            def do_GET(self) -> None:
                registry.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"token": TOKEN}).encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "Registry":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Registry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with Registry() as found:
        yield found


def test_a_tag_and_a_digest_have_a_digest(registry: Registry) -> None:
    assert digest_of(Image(f"{registry.address}/team/api", "1.4.2")) == DIGEST
    assert digest_of(Image(f"{registry.address}/team/api", DIGEST)) == DIGEST


def test_what_is_not_there_is_an_error(registry: Registry) -> None:
    with pytest.raises(ReleaseError, match=r"there is no image .*team/api:1\.4\.3"):
        digest_of(Image(f"{registry.address}/team/api", "1.4.3"))


def test_another_image_than_the_digest_says_is_refused(registry: Registry) -> None:
    registry.digest = OTHER
    with pytest.raises(ReleaseError, match="another image"):
        digest_of(Image(f"{registry.address}/team/api", DIGEST))


def test_an_answer_without_a_digest_is_refused(registry: Registry) -> None:
    registry.digest = "none"
    with pytest.raises(ReleaseError, match="no digest"):
        digest_of(Image(f"{registry.address}/team/api", "1.4.2"))


def test_a_token_is_fetched_with_the_credentials_that_docker_stored(registry: Registry, tmp_path: Path) -> None:
    scope = 'service="registry",scope="repository:team/api:pull"'
    registry.challenge = f'Bearer realm="http://{registry.address}/token",{scope}'
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": BASIC}}}), encoding="utf-8")
    assert digest_of(Image(f"{registry.address}/team/api", "1.4.2")) == DIGEST
    path, authorization = registry.asked[1]
    assert path == "/token?service=registry&scope=repository%3Ateam%2Fapi%3Apull"
    assert authorization == f"Basic {BASIC}"
    assert registry.asked[2] == ("/v2/team/api/manifests/1.4.2", f"Bearer {TOKEN}")


def test_stored_credentials_are_given_where_the_registry_wants_them_itself(registry: Registry, tmp_path: Path) -> None:
    registry.challenge = 'Basic realm="registry"'
    with pytest.raises(ReleaseError, match="docker login"):
        digest_of(Image(f"{registry.address}/team/api", "1.4.2"))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": BASIC}}}), encoding="utf-8")
    assert digest_of(Image(f"{registry.address}/team/api", "1.4.2")) == DIGEST


def test_credentials_are_not_sent_in_the_clear_to_another_machine(registry: Registry, tmp_path: Path) -> None:
    registry.challenge = 'Bearer realm="http://registry.example.com/token"'
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": BASIC}}}), encoding="utf-8")
    with pytest.raises(ReleaseError, match="wants credentials"):
        digest_of(Image(f"{registry.address}/team/api", "1.4.2"))
    assert len(registry.asked) == 1


def test_a_registry_that_is_down_is_an_error(registry: Registry) -> None:
    with pytest.raises(ReleaseError, match="does not answer"):
        digest_of(Image("127.0.0.1:9/team/api", "1.4.2"))
    with pytest.raises(ReleaseError, match="accepted is REGISTRY/NAME"):
        digest_of(Image("api", "1.4.2"))


@mock_aws
def test_ecr_is_asked_by_its_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.client("ecr", region_name="eu-west-1")
    client.create_repository(repositoryName="duolingo-api")
    manifest = {"schemaVersion": 2, "config": {"digest": DIGEST}, "layers": []}
    put = client.put_image(
        repositoryName="duolingo-api",
        imageManifest=json.dumps(manifest),
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
        imageTag="1.4.2",
    )
    repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/duolingo-api"
    digest = put["image"]["imageId"]["imageDigest"]
    assert digest_of(Image(repository, "1.4.2")) == digest
    assert digest_of(Image(repository, digest)) == digest
    for image in (Image(repository, "1.4.3"), Image(f"{repository}-2", "1.4.2")):
        with pytest.raises(ReleaseError, match="there is no image"):
            digest_of(image)


@pytest.mark.parametrize(
    ("text", "repository", "version"),
    [
        ("api", "api", "latest"),
        ("localhost:5000/api", "localhost:5000/api", "latest"),
        ("localhost:5000/api:1", "localhost:5000/api", "1"),
        (f"localhost:5000/api:1@{DIGEST}", "localhost:5000/api", DIGEST),
    ],
)
def test_an_image_is_read_as_docker_reads_it(text: str, repository: str, version: str) -> None:
    assert Image.parse(text) == Image(repository, version)


def test_an_image_is_written_as_docker_writes_it() -> None:
    assert str(Image("api", "1")) == "api:1"
    assert str(Image("api", DIGEST)) == f"api@{DIGEST}"
    assert is_version(DIGEST)
    assert not is_version("latest")
