"""The header Date: gunicorn's own text, formatted less often."""

import threading
import time

import gunicorn.util
import pytest

from baselib.web.http_date import http_date


@pytest.mark.parametrize("timestamp", [0, 0.999, 1, 784111777, 951782399.5, 4102444800])
def test_it_says_what_gunicorn_says(timestamp: float) -> None:
    assert http_date(timestamp) == gunicorn.util.http_date(int(timestamp))


def test_each_second_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([100.0, 100.9, 101.0, 100.5])
    monkeypatch.setattr(time, "time", lambda: next(moments))
    first, same, later, back = (http_date() for _ in range(4))
    assert first == same == back
    assert later == "Thu, 01 Jan 1970 00:01:41 GMT"


def test_threads_never_see_half_of_it() -> None:
    wrong: list[str] = []

    def ask(seconds: range) -> None:
        wrong.extend(text for second in seconds if not (text := http_date(second)).endswith(f"{second % 60:02d} GMT"))

    threads = [threading.Thread(target=ask, args=(range(start, start + 2000),)) for start in (0, 30, 1000, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
