"""How a process says why it ended."""

from enum import IntEnum

from baselib.contract._document import CONTRACT


class ExitCode(IntEnum):
    """The exit codes of every service; 70 and 78 are EX_SOFTWARE and EX_CONFIG of sysexits(3), 75 is EX_TEMPFAIL."""

    FINISHED = CONTRACT["exit_codes"]["finished"]
    CRASHED = CONTRACT["exit_codes"]["crashed"]
    MEMORY = CONTRACT["exit_codes"]["memory"]
    CONFIGURATION = CONTRACT["exit_codes"]["configuration"]
