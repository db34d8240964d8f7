"""Terraform, its provider and a copy of the modules, for every test beside this file."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terraform.pagerduty import provider as pagerduty

REPOSITORY = Path(__file__).resolve().parents[2]
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
SECONDS = 300

Run = subprocess.CompletedProcess[str]


def _plugin_directory() -> Path | None:
    candidates = [
        *([Path(os.environ["TF_PLUGIN_DIR"])] if "TF_PLUGIN_DIR" in os.environ else []),
        Path.home() / ".terraform.d/plugins",
        Path("/usr/share/terraform/plugins"),
        Path("/usr/local/share/terraform/plugins"),
        *sorted(Path("/opt").glob("*")),
    ]
    return next((candidate for candidate in candidates if (candidate / PROVIDER).is_dir()), None)


def _environment() -> dict[str, str]:
    # A developer's credentials, and arguments meant for real runs, have no business here.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_CLI_ARGS", "TF_VAR_", "TF_DATA_DIR", "TF_WORKSPACE", "TF_LOG"))
    }
    configuration = environment.get("TF_CLI_CONFIG_FILE")
    if configuration and not Path(configuration).is_file():
        del environment["TF_CLI_CONFIG_FILE"]
    return environment | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def terraform() -> Callable[..., Run]:
    """Run Terraform in a folder: `terraform(folder, "validate")`."""
    binary = shutil.which("terraform")
    if binary is None:
        pytest.skip("terraform is not on the PATH")
    environment = _environment()

    def run(folder: Path, *arguments: str) -> Run:
        return subprocess.run(
            [binary, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return run


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
    plugins = _plugin_directory()
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
