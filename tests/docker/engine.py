"""A Docker engine for the tests: the one that is here, or one of their own where root may start one.

No image is pulled where no registry answers: the base image is then made from Debian's packages.
"""

import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE_IMAGE = "python:3.11-slim"
_DEBIAN = "bookworm"
_PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PULL_SECONDS = 120
_START_SECONDS = 60


class NoEngineError(RuntimeError):
    """There is no Docker engine and none can be started; the message says why."""


class Engine:
    """A Docker engine that answers.

    Args:
        client: The path of a docker command that can build with BuildKit.
        host: Where the engine listens, None for the default.
    """

    def __init__(self, client: str, host: str | None = None) -> None:
        self._client = client
        self._environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        if host is not None:
            self._environment["DOCKER_HOST"] = host

    def run(self, *arguments: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a docker command.

        Raises:
            AssertionError: It failed, and `check` is true.
        """
        done = subprocess.run(
            [self._client, *arguments],
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout[-3000:] + done.stderr[-6000:]
        return done

    def build(self, folder: Path, tag: str, *arguments: str) -> None:
        """Build an image; the build sees this machine's network, on which the tests' own servers are."""
        self.run("build", "--network=host", "--tag", tag, *arguments, str(folder))

    def answers(self) -> bool:
        """Whether the engine answers and the client can build with BuildKit."""
        if self.run("version", check=False).returncode != 0:
            return False
        return self.run("build", "--quiet", "-", check=False, text="FROM scratch\nLABEL a=b\n").returncode == 0

    def has_image(self, image: str) -> bool:
        """Whether an image is there."""
        return self.run("image", "inspect", image, check=False).returncode == 0


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine with the base image in it.

    Raises:
        NoEngineError: There is none, and none can be started.
    """
    clients = _clients()
    for client in clients:
        engine = Engine(client)
        if engine.answers():
            _provide_base_image(engine)
            yield engine
            return
    with _own_engine() as engine:
        _provide_base_image(engine)
        yield engine


def _clients() -> list[str]:
    # A newer client without its buildx plug-in cannot build with BuildKit; Debian's own can.
    found = [shutil.which("docker"), "/usr/bin/docker"]
    return list(dict.fromkeys(client for client in found if client and Path(client).exists()))


@contextmanager
def _own_engine() -> Iterator[Engine]:
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise NoEngineError("no Docker engine answers, and only root on Linux may start one")
    _install("dockerd", "docker.io", "iptables")
    folder = Path(tempfile.mkdtemp(prefix="docker-engine-"))
    socket = f"unix://{folder}/docker.sock"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={folder}/data",
                f"--exec-root={folder}/exec",
                f"--pidfile={folder}/pid",
                f"--host={socket}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        engine = _answering(socket, process, folder / "log")
        yield engine
        containers = engine.run("ps", "--all", "--quiet", check=False).stdout.split()
        if containers:
            engine.run("rm", "--force", *containers, check=False)
    finally:
        process.terminate()
        process.wait(60)
        # dockerd leaves it mounted after a container with the host's network.
        subprocess.run(["umount", f"{folder}/exec/netns/default"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _answering(socket: str, process: subprocess.Popen[bytes], log: Path) -> Engine:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for client in _clients():
            engine = Engine(client, socket)
            if engine.answers():
                return engine
        time.sleep(0.5)
    end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
    raise NoEngineError(f"a Docker engine was started but does not answer: {''.join(end)}")


def _provide_base_image(engine: Engine) -> None:
    if engine.has_image(BASE_IMAGE):
        return
    try:
        subprocess.run(
            [engine._client, "pull", "--quiet", BASE_IMAGE],
            env=engine._environment,
            capture_output=True,
            timeout=_PULL_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        _import_debian(engine)


def _import_debian(engine: Engine) -> None:
    if os.geteuid() != 0:
        raise NoEngineError(f"{BASE_IMAGE} cannot be pulled, and only root can make it from Debian's packages")
    _install("debootstrap", "debootstrap")
    folder = Path(tempfile.mkdtemp(prefix="debian-"))
    try:
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _DEBIAN, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise NoEngineError(f"{BASE_IMAGE} cannot be made: {made.stdout.strip().splitlines()[-1:]}")
        for package in (folder / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        if _CERTIFICATES.exists():
            # A company's proxy may have a certificate of its own, which the build has to know.
            shutil.copy2(_CERTIFICATES, folder / _CERTIFICATES.relative_to("/"))
        with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                [engine._client, "import", "-", BASE_IMAGE],
                env=engine._environment,
                stdin=archive.stdout,
                capture_output=True,
                check=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install(command: str, *packages: str) -> None:
    if shutil.which(command):
        return
    if not shutil.which("apt-get"):
        raise NoEngineError(f"{command} is not here, and there is no apt-get to install it with")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoEngineError(f"{command} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
