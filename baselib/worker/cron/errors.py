"""Why a run was stopped."""


class StoppedError(BaseException):
    """The run was stopped from outside.

    It is not an `Exception`: a loop that survives whatever goes wrong with one item does not survive this.
    """


class DeadlineExceededError(StoppedError):
    """The run took longer than it may."""


class TerminatedError(StoppedError):
    """The run was stopped by SIGTERM before it finished."""


class LockLostError(StoppedError):
    """The run could not keep its lock, so that another one may begin."""


class MemoryLimitError(StoppedError):
    """The run was about to be killed by the kernel for its memory."""
