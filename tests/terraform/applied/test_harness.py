"""What the other tests beside this one rely on: drift is seen, nothing leaves the machine or outlives them."""

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform.applied.conftest import Emulator, World
from tests.terraform.applied.provider import Provider
from tests.terraform.conftest import (
    NOWHERE,
    PLATFORM,
    PROVIDER,
    REPOSITORY,
    plugin_directory,
    provider_executable,
    run_in,
    unsuitable,
)

pytestmark = pytest.mark.e2e
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one wait for the processes of others")

QUEUE = """
variable "seconds" {
  type    = number
  default = 30
}

resource "aws_sqs_queue" "this" {
  name                       = "queue"
  visibility_timeout_seconds = var.seconds
}

output "url" {
  value = aws_sqs_queue.this.url
}
"""
ELSEWHERE = """
provider "aws" {
  endpoints {
    ssm = "https://ssm.us-east-1.amazonaws.com"
  }
}

data "aws_ssm_parameter" "this" {
  name = "any"
}
"""


def test_a_world_is_changed_watched_and_destroyed(applied: Callable[..., World]) -> None:
    world = applied(QUEUE)
    world.assert_settled()
    assert world.addresses() == ["aws_sqs_queue.this"]

    assert world.change({"seconds": 60}) == {"aws_sqs_queue.this": ["update"]}
    world.assert_settled()
    assert world.state()["aws_sqs_queue.this"]["visibility_timeout_seconds"] == 60

    sqs, url = world.client("sqs"), world.outputs["url"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    with pytest.raises(AssertionError, match="The second plan is not empty"):
        world.assert_settled()
    assert world.plan() == {"aws_sqs_queue.this": ["update"]}

    world.destroy()
    assert "QueueUrls" not in sqs.list_queues()


def test_a_call_for_elsewhere_does_not_leave_the_machine(applied: Callable[..., World]) -> None:
    with pytest.raises(AssertionError, match=r"127\.0\.0\.1:1: connect: connection refused"):
        applied(ELSEWHERE)


def test_what_the_machine_is_logged_in_to_is_not_used(enclosed: dict[str, str]) -> None:
    given = {name: value for name, value in enclosed.items() if name.startswith("AWS_")}
    assert given == {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": NOWHERE,
    }


def test_a_profile_of_the_machine_is_not_looked_for(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert "QueueUrls" not in emulator.client("sqs").list_queues()


def test_waits_are_short_where_they_can_be(provider: Provider | None) -> None:
    if provider is None or (os.uname().sysname, os.uname().machine) != ("Linux", "x86_64"):
        pytest.skip("only for a provider that is installed, on Linux and x86-64")
    assert provider.reason == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"#!/bin/sh\n", "not a 64-bit x86 ELF file"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xb7" + bytes(45), "not a 64-bit x86 ELF file"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\x3e" + bytes(45), "not as an executable is"),
    ],
    ids=["a script", "for arm64", "cut short"],
)
@pytest.mark.skipif((os.uname().sysname, os.uname().machine) != ("Linux", "x86_64"), reason="there it is never changed")
def test_another_executable_is_left_as_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "provider").write_bytes(content)
    provider = Provider(tmp_path / "provider", {}, tmp_path)
    assert reason in provider.reason
    assert not provider.shortened


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "x86_64"), ("Linux", "aarch64")])
def test_on_another_machine_waits_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert "Linux on x86-64" in Provider(Path(sys.executable), {}, tmp_path).reason


def test_the_newest_provider_for_this_machine_is_found_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, machine in (("5.99.0", PLATFORM), ("5.100.0", PLATFORM), ("6.0.0", "another_machine")):
        folder = tmp_path / "a folder" / PROVIDER / version / machine
        folder.mkdir(parents=True)
        (folder / f"terraform-provider-aws_v{version}_x5").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_PLUGIN_DIR", "a folder")
    assert plugin_directory() == tmp_path / "a folder"
    executable = provider_executable(tmp_path / "a folder")
    assert executable is not None
    assert executable.name == "terraform-provider-aws_v5.100.0_x5"


def test_a_plug_in_directory_for_another_machine_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / PROVIDER / "5.100.0/another_machine"
    folder.mkdir(parents=True)
    (folder / "terraform-provider-aws_v5.100.0_x5").touch()
    monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path))
    assert plugin_directory() != tmp_path


def test_a_terraform_that_will_not_do_is_told_of(tmp_path: Path) -> None:
    older = tmp_path / "terraform"
    older.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n', encoding="utf-8")
    older.chmod(0o755)
    assert unsuitable(str(older)) == f"the modules need terraform 1.11, and {older} is 1.9.8"
    older.write_text("#!/bin/sh\necho no version is chosen >&2\nexit 1\n", encoding="utf-8")
    assert unsuitable(str(older)) == f"{older} does not tell its version: no version is chosen\n"
    assert unsuitable(None) == "terraform is not on the PATH"


@on_linux
def test_what_runs_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    # As Terraform does when it is killed, it ends before what it has started.
    command = ["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! > pid; trap exit INT; wait"]
    with pytest.raises(subprocess.TimeoutExpired):
        run_in(tmp_path, command, dict(os.environ), 5)
    _assert_ends(int((tmp_path / "pid").read_text(encoding="utf-8")))


ORPHANS = """
import os, sys
from pathlib import Path
from tests.terraform.applied.conftest import Emulator
from tests.terraform.applied.provider import Provider
emulator = Emulator()
provider = Provider(Path(sys.argv[1]), dict(os.environ), Path(sys.argv[2]))
provider.attach(Path(sys.argv[2]))
print(emulator._process.pid, provider._process.pid, flush=True)
sys.stdin.read()
"""


@on_linux
def test_nothing_outlives_tests_that_are_killed(tmp_path: Path) -> None:
    plugins = plugin_directory()
    executable = provider_executable(plugins) if plugins else None
    if executable is None:
        pytest.skip("only for a provider that is installed")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS, str(executable), str(tmp_path)],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        orphans = [int(pid) for pid in process.stdout.readline().split()]
        sockets = list(tmp_path.glob("plugin*"))
        process.kill()
    assert (len(orphans), len(sockets)) == (2, 1)
    for orphan in orphans:
        _assert_ends(orphan)
    assert list(tmp_path.glob("plugin*")) == []


def _assert_ends(process: int) -> None:
    try:
        file = os.pidfd_open(process)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([file], [], [], 60)
    os.close(file)
    assert ended
