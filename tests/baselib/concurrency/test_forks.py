"""Who is made anew in a forked child, and who is not."""

import gc
import logging
import os
import warnings
import weakref

from baselib.concurrency import renew_after_fork
from tests.baselib.processes import until


class _Holder:
    def __init__(self, *, fails: bool = False) -> None:
        self.renewed = 0
        self._fails = fails
        renew_after_fork(self)

    def after_fork(self) -> None:
        self.renewed += 1
        if self._fails:
            raise ValueError("no")


def _exit_code(child: int) -> int:

    def ended() -> tuple[int, int] | None:
        found = os.waitpid(child, os.WNOHANG)
        return found if found[0] else None

    return os.waitstatus_to_exitcode(until(ended, "the child has ended")[1])


def _fork() -> int:
    with warnings.catch_warnings():
        # Threads of other tests may be there.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_every_holder_is_renewed_in_the_child_alone_though_one_fails() -> None:
    logging.getLogger("baselib.concurrency.forks").disabled = True
    try:
        holders = [_Holder(), _Holder(fails=True), _Holder()]
        child = _fork()
        if child == 0:
            os._exit(0 if [holder.renewed for holder in holders] == [1, 1, 1] else 1)
        assert _exit_code(child) == 0
        assert [holder.renewed for holder in holders] == [0, 0, 0]
    finally:
        logging.getLogger("baselib.concurrency.forks").disabled = False


def test_what_nobody_uses_any_more_is_forgotten() -> None:
    holder = _Holder()
    known = weakref.ref(holder)
    del holder
    gc.collect()
    assert known() is None
