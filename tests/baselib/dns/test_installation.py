"""The cache in the place of `socket.getaddrinfo`."""

import os
import select
import signal
import socket
import subprocess
import sys

import pytest

from baselib import dns
from baselib.dns import installation
from tests.baselib.dns.conftest import Install, Resolver
from tests.baselib.processes import PATIENCE_SECONDS


def test_everything_that_asks_python_asks_the_cache(installed: Install) -> None:
    resolver = Resolver()
    installed(resolver)
    with socket.create_server(("127.0.0.1", 0)) as server:
        resolver.address = "127.0.0.1"
        for _ in range(2):
            socket.create_connection(("db.internal", server.getsockname()[1])).close()
    assert len(resolver.asked) == 1


def test_the_interface_is_the_standard_librarys(installed: Install) -> None:
    expected = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    installed(None)
    for _ in range(2):
        found = socket.getaddrinfo(host="localhost", port=80, family=0, type=socket.SOCK_STREAM, proto=0, flags=0)
        assert found == expected
        assert isinstance(found[0][0], socket.AddressFamily)
    with pytest.raises(TypeError):
        socket.getaddrinfo("localhost")  # type: ignore[call-arg]
    with pytest.raises(OSError, match="Int or String expected"):
        socket.getaddrinfo("localhost", [])  # type: ignore[arg-type]
    with pytest.raises(UnicodeError):
        socket.getaddrinfo("a" * 100 + ".internal", 80)


def test_it_is_installed_once_and_taken_away() -> None:
    before = socket.getaddrinfo
    first, second = Resolver(), Resolver()
    dns.install(first)
    dns.install(second)
    socket.getaddrinfo("db.internal", 80)
    assert (len(first.asked), len(second.asked)) == (1, 0)
    dns.uninstall()
    dns.uninstall()
    assert socket.getaddrinfo is before


def test_what_somebody_else_has_put_around_it_goes_on_working(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", original)
    dns.install()
    inner = socket.getaddrinfo

    def around(host: str, port: int) -> object:
        return inner(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", around)
    socket.getaddrinfo("db.internal", 80)
    dns.uninstall()
    for _ in range(2):
        socket.getaddrinfo("db.internal", 80)
    assert len(original.asked) == 3


def test_resolve_asks_the_cache_where_there_is_one_and_the_resolver_where_not(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    for _ in range(2):
        assert dns.resolve("db.internal", 80, timeout=1)[0][4] == ("192.0.2.1", 80)
    installed(resolver)
    for _ in range(2):
        assert dns.resolve("db.internal", 80, timeout=1)[0][4] == ("192.0.2.1", 80)
    assert len(resolver.asked) == 3
    resolver.go_on.clear()
    with pytest.raises(TimeoutError):
        dns.resolve("new.internal", 80, timeout=0.05)
    resolver.go_on.set()


def test_a_child_of_a_fork_goes_on(installed: Install) -> None:
    resolver = Resolver()
    installed(resolver)
    socket.getaddrinfo("db.internal", 80)
    cache = installation._installation.cache
    assert cache is not None
    read, write = os.pipe()
    # As if another thread held them at this moment.
    with cache._lock, installation._installation._lock:
        process = os.fork()
        if process == 0:
            try:
                dns.install(None)
                known = socket.getaddrinfo("db.internal", 80)[0][4][0]
                new = socket.getaddrinfo("new.internal", 80)[0][4][0]
                os.write(write, f"{known} {new} {len(resolver.asked)}".encode())
            finally:
                os._exit(0)
    os.close(write)
    told_in_time = select.select([read], [], [], PATIENCE_SECONDS)[0]
    os.kill(process, signal.SIGKILL)
    assert told_in_time
    with os.fdopen(read) as told:
        assert told.read() == "192.0.2.1 192.0.2.1 2"
    os.waitpid(process, 0)


def test_the_process_ends_though_the_resolver_hangs() -> None:
    code = (
        "import socket, threading\n"
        "from baselib import dns\n"
        "dns.install(lambda *key: threading.Event().wait())\n"
        "try:\n    dns.resolve('db.internal', 80, timeout=0.01)\n"
        "except TimeoutError:\n    print('gave up')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("gave up\n", "", 0)
