"""Chains of hooks."""

import logging
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.util import get_arity

from baselib.web.hooks import HOOKS, Hook, chain


def test_every_hook_of_gunicorn_but_that_of_tls_can_be_chained_and_is_accepted_by_it() -> None:
    config = Config()
    known = {
        name for name, setting in config.settings.items() if setting.section == "Server Hooks" and name != "ssl_context"
    }
    assert set(HOOKS) == known
    for name, count in HOOKS.items():
        hook = chain(name, theirs=config.settings[name].default)
        assert get_arity(hook) == count
        config.set(name, hook)


@pytest.mark.parametrize(("name", "order"), [("when_ready", "ours theirs"), ("on_exit", "theirs ours")])
def test_the_service_is_last_where_something_begins_and_first_where_it_ends(name: str, order: str) -> None:
    told: list[str] = []

    def theirs(server: Any) -> None:
        told.append("theirs")

    chain(name, lambda server: told.append("ours"), theirs=theirs)("server")
    assert " ".join(told) == order


def test_a_failing_hook_of_the_service_is_logged_and_ours_is_called(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def theirs(server: Any, worker: Any) -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.ERROR):
        chain("worker_exit", lambda server, worker: told.append("ours"), theirs=theirs)("server", "worker")
    assert told == ["ours"]
    assert [record.getMessage() for record in caplog.records] == ["hook of the service failed"]


def test_a_worker_that_the_service_cannot_begin_does_not_begin() -> None:
    told: list[str] = []

    def theirs(server: Any, worker: Any) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        chain("post_fork", lambda server, worker: told.append("ours"), theirs=theirs)("server", "worker")
    assert told == ["ours"]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_hook_after_a_request_may_take_fewer_arguments(count: int) -> None:
    told: list[Any] = []
    hooks: dict[int, Hook] = {
        2: lambda worker, request: told.append(request),
        3: lambda worker, request, environ: told.append(environ),
        4: lambda worker, request, environ, response: told.append(response),
    }
    chain("post_request", theirs=hooks[count])("1", "2", "3", "4")
    assert told == [str(count)]
