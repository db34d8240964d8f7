"""Terraform, its provider and a copy of the modules, for every test beside this file."""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terraform.generated import Service
from tests.terraform.pagerduty import provider as pagerduty

REPOSITORY = Path(__file__).resolve().parents[2]
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
# As Terraform names it in a plug-in directory.
PLATFORM = f"{platform.system().lower()}_{pagerduty.MACHINES.get(platform.machine(), platform.machine())}"
SECONDS = 300
# Nothing listens there: a call ends at once instead of leaving the machine.
NOWHERE = "http://127.0.0.1:1"

Run = subprocess.CompletedProcess[str]


def plugin_directory() -> Path | None:
    """The first of the usual plug-in directories that has the AWS provider for this machine."""
    candidates = [
        *([Path(os.environ["TF_PLUGIN_DIR"])] if os.environ.get("TF_PLUGIN_DIR") else []),
        # Unlike that of `Path`, this does not fail for a user without a home.
        Path(os.path.expanduser("~/.terraform.d/plugins")),  # noqa: PTH111
        Path("/usr/share/terraform/plugins"),
        Path("/usr/local/share/terraform/plugins"),
        *sorted(Path("/opt").glob("*")),
    ]
    # Absolute, because Terraform runs in other folders.
    return next((candidate.absolute() for candidate in candidates if _has_provider(candidate / PROVIDER)), None)


def _has_provider(versions: Path) -> bool:
    # Unpacked, or as it was published. `glob` passes over what may not be read.
    return any(versions.glob(f"*/{PLATFORM}/*")) or any(versions.glob(f"*_{PLATFORM}.zip"))


def provider_executable(plugins: Path) -> Path | None:
    """The newest AWS provider for this machine that a plug-in directory has unpacked."""
    found = (plugins / PROVIDER).glob(f"*/{PLATFORM}/terraform-provider-aws_*")
    return max(found, key=lambda path: _numbers(path.parts[-3]), default=None)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def environment() -> dict[str, str]:
    """The environment of Terraform: nobody's credentials, and no AWS, so that nothing real can be asked or changed."""
    # A developer's credentials, and arguments meant for real runs, have no business here.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_CLI_ARGS", "TF_VAR_", "TF_DATA_DIR", "TF_WORKSPACE", "TF_LOG"))
    }
    configuration = kept.get("TF_CLI_CONFIG_FILE")
    if configuration and not Path(configuration).is_file():
        del kept["TF_CLI_CONFIG_FILE"]
    return kept | {
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": NOWHERE,
    }


def unsuitable(binary: str | None) -> str | None:
    """Why the modules cannot be tested with a Terraform, or None."""
    if binary is None:
        return "terraform is not on the PATH"
    told = subprocess.run(
        [binary, "version", "-json"], env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if told.returncode:
        return f"{binary} does not tell its version: {told.stderr}"
    version = json.loads(told.stdout)["terraform_version"]
    text = (REPOSITORY / "terraform/modules/names/versions.tf").read_text(encoding="utf-8")
    (least,) = re.findall(r'required_version = ">= ([\d.]+)"', text)
    if _numbers(version) < _numbers(least):
        return f"the modules need terraform {least}, and {binary} is {version}"
    return None


def run_in(folder: Path, command: list[str], variables: Mapping[str, str], seconds: int) -> Run:
    """Run Terraform in a folder, and leave nothing of it running however that ends."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException:
            # First so that it ends its providers, who remove their sockets; killed alone, it would leave them behind.
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return Run(command, process.returncode, output, errors)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    """Terraform; skips where there is none, or one that is too old."""
    binary = shutil.which("terraform")
    if reason := unsuitable(binary):
        pytest.skip(reason)
    assert binary is not None
    return binary


@pytest.fixture(scope="session")
def terraform(terraform_binary: str) -> Callable[..., Run]:
    """Run Terraform in a folder: `terraform(folder, "validate")`."""
    variables = environment()
    return lambda folder, *arguments: run_in(folder, [terraform_binary, *arguments], variables, SECONDS)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the modules and of the contract that they read, so that Terraform writes nothing into the source."""
    copy = tmp_path_factory.mktemp("repository")
    shutil.copytree(
        REPOSITORY / "terraform",
        copy / "terraform",
        ignore=shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*"),
    )
    shutil.copytree(
        REPOSITORY / "baselib/contract", copy / "baselib/contract", ignore=shutil.ignore_patterns("__pycache__")
    )
    return copy


@pytest.fixture(scope="session")
def pagerduty_plugins(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """The plug-in directory of the stand-in for PagerDuty's provider; skips where it cannot be made."""
    made: list[Path] = []

    def get() -> Path:
        if reason := pagerduty.missing():
            pytest.skip(reason)
        if not made:
            made.append(pagerduty.install(tmp_path_factory.mktemp("pagerduty")))
        return made[0]

    return get


@pytest.fixture(scope="session")
def initialise(terraform: Callable[..., Run], pagerduty_plugins: Callable[[], Path]) -> Callable[[Path], None]:
    """Install what the configuration in a folder needs, once; skip where a provider cannot be had."""
    plugins = plugin_directory()
    done: set[Path] = set()
    unavailable: list[str] = []

    def run(folder: Path) -> None:
        if unavailable:
            pytest.skip(unavailable[0])
        if folder in done:
            return
        source = [f"-plugin-dir={plugins}"] if plugins else []
        if any("PagerDuty/pagerduty" in path.read_text(encoding="utf-8") for path in folder.glob("*.tf")):
            if plugins is None:
                pytest.skip(
                    "beside the stand-in for PagerDuty's provider, the AWS provider is needed in a plug-in directory"
                )
            source.append(f"-plugin-dir={pagerduty_plugins()}")
        result = terraform(folder, "init", "-backend=false", "-input=false", "-no-color", *source)
        if result.returncode and plugins is None and "provider" in result.stderr.lower():
            unavailable.append(
                f"the AWS provider is neither installed nor to be had from the registry: {result.stderr}"
            )
            pytest.skip(unavailable[0])
        assert result.returncode == 0, result.stdout + result.stderr
        done.add(folder)

    return run


@pytest.fixture
def generated(
    platform: Path, tmp_path: Path, terraform: Callable[..., Run], initialise: Callable[[Path], None]
) -> Service:
    """What is asked of the Terraform of a generated service."""
    return Service(tmp_path, platform, terraform, initialise)
