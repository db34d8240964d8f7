"""A real HAProxy in front of instances, as the load balancer is in front of tasks, hiding no failure."""

import csv
import io
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.baselib.processes import free_port, until

# As the contract's target groups have it: every 5 s, two failures take an instance out.
_CONFIGURATION = """
global
  stats socket {folder}/stats.sock mode 600 level admin
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  option http-keep-alive
frontend callers
  bind 127.0.0.1:{port}
  default_backend tasks
backend tasks
  balance roundrobin
  no option redispatch
  option httpchk GET /healthz/ready
  default-server inter 5s fall 2 rise 2
{servers}
"""


class Balancer:
    """An HAProxy that runs.

    Args:
        port: Where it listens.
        socket: Its statistics socket.
    """

    def __init__(self, port: int, socket: Path) -> None:
        self.port = port
        self._socket = socket

    def statistics(self) -> dict[str, dict[str, str]]:
        """A row of figures for each server, and one for `BACKEND`."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"show stat\n")
            told = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(told.removeprefix("# ")))
        return {row["svname"]: row for row in rows if row["pxname"] == "tasks"}

    def up(self) -> set[str]:
        """The names of the servers that get requests."""
        return {name for name, row in self.statistics().items() if row["status"].startswith("UP")} - {"BACKEND"}


@contextmanager
def balancing(ports: Sequence[int], folder: Path) -> Iterator[Balancer]:
    """HAProxy in front of ports of this machine, which it names `task0`, `task1` and so on."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("HAProxy is not installed (Debian: apt-get install haproxy)")
    port = free_port()
    servers = "\n".join(f"  server task{number} 127.0.0.1:{task} check" for number, task in enumerate(ports))
    file = folder / "haproxy.cfg"
    file.write_text(_CONFIGURATION.format(folder=folder, port=port, servers=servers), encoding="utf-8")
    process = subprocess.Popen([program, "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        balancer = Balancer(port, folder / "stats.sock")
        until((folder / "stats.sock").exists, "HAProxy listens")
        until(lambda: len(balancer.up()) == len(ports), "HAProxy has found every instance", 60)
        yield balancer
    finally:
        process.kill()
        process.wait()
