"""The lock between the processes of a machine."""

import stat
from pathlib import Path

import pytest

from baselib.worker.cron.file_lock import FileLock
from baselib.worker.cron.lock import LockUnavailableError


def _lock(folder: Path) -> FileLock:
    return FileLock("duolingo-nightly-local-a/b", folder)


def _file(folder: Path) -> Path:
    (found,) = folder.glob("*.lock")
    return found


def test_one_at_a_time_has_it(tmp_path: Path) -> None:
    first, second = _lock(tmp_path), _lock(tmp_path)
    assert first.acquire("first") is None
    held = second.acquire("second")
    assert held is not None
    assert held.name == "first"
    assert second.token is None
    first.release()
    assert second.acquire("second") is None
    second.release()


def test_the_token_grows_with_each_holder(tmp_path: Path) -> None:
    tokens = []
    for _ in range(3):
        lock = _lock(tmp_path)
        lock.acquire("somebody")
        tokens.append(lock.token)
        lock.release()
    assert tokens == [1, 2, 3]


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"token": "x"}', "\x00" * 5000])
def test_a_file_with_something_else_in_it_is_no_obstacle(tmp_path: Path, content: str) -> None:
    _lock(tmp_path).release()
    lock = _lock(tmp_path)
    lock.acquire("a")
    lock.release()
    _file(tmp_path).write_text(content)
    again = _lock(tmp_path)
    assert again.acquire("b") is None
    assert again.token == 1
    again.release()


def test_only_its_user_reads_it(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    lock.acquire("a")
    assert stat.S_IMODE(_file(tmp_path).stat().st_mode) == 0o600
    lock.release()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    lock.acquire("a")
    lock.release()
    path = _file(tmp_path)
    path.unlink()
    target = tmp_path / "target"
    target.write_text("mine")
    path.symlink_to(target)
    with pytest.raises(LockUnavailableError, match="cannot be opened"):
        _lock(tmp_path).acquire("b")
    assert target.read_text() == "mine"


def test_what_cannot_be_opened_is_no_lock(tmp_path: Path) -> None:
    with pytest.raises(LockUnavailableError, match="No such file"):
        _lock(tmp_path / "missing").acquire("a")
