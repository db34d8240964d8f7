"""What stops a service before it starts."""

from collections.abc import Sequence

from baselib.contract.exit_codes import ExitCode


class ConfigurationError(SystemExit):
    """The environment is wrong or incomplete.

    It is a SystemExit, so that it ends the process with the contract's exit code wherever it is raised, also inside
    a gunicorn master that would turn another exception into an exit code of its own and start again for ever.

    Args:
        problems: One sentence for each variable: its name, what it held (secrets masked) and what is accepted.

    Attributes:
        told: Whether it has been written to standard error.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(int(ExitCode.CONFIGURATION))
        self.problems = tuple(problems)
        self.told = False

    def __str__(self) -> str:
        return "\n".join(f"configuration error: {problem}" for problem in self.problems)
