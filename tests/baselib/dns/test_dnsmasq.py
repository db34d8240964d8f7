"""The cache before glibc's resolver and a real name server, in a network and mount namespace of its own."""

import json
import shutil
import subprocess
import sys

import pytest

# Runs inside the namespaces, where nothing but the loopback is there and /etc/resolv.conf is a file of the test's.
SCENARIO = r"""
import json, os, signal, socket, subprocess, sys, time
from pathlib import Path
from baselib import dns

folder = Path(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
hosts, log = folder / "hosts", folder / "queries"
hosts.write_text("192.0.2.1 writer.aurora.internal\n")
server = subprocess.Popen([
    "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}", "--local=/internal/",
    "--user=root", "--group=root", "--listen-address=127.0.0.1", "--bind-interfaces", "--cache-size=0",
    "--log-queries", f"--log-facility={log}", "--pid-file",
])

def address(name="writer.aurora.internal"):
    return socket.getaddrinfo(name, 5432, type=socket.SOCK_STREAM)[0][4][0]

def until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return time.monotonic() - (deadline - seconds)
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("not in time")

def packets():
    return log.read_text().count("query[") if log.exists() else 0

def counted(calls):
    before = packets()
    for _ in range(calls):
        address()
    # A look-up that nobody calls for marks the end of the log.
    marker = f"marker-{time.monotonic_ns()}.internal"
    try:
        direct(marker, 1, socket.AF_INET)
    except OSError:
        pass
    until(lambda: marker in log.read_text())
    return packets() - before - log.read_text().count(f"] {marker}")

direct = socket.getaddrinfo
told = {}
try:
    until(address)
    told["without"] = counted(50)
    dns.install()
    told["with"] = counted(50)
    hosts.write_text("192.0.2.2 writer.aurora.internal\n")
    server.send_signal(signal.SIGHUP)
    until(lambda: direct("writer.aurora.internal", 1)[0][4][0] == "192.0.2.2")
    told["followed"] = until(lambda: address() == "192.0.2.2")
    # The packets arrive, and nobody answers.
    server.send_signal(signal.SIGSTOP)
    started, longest, calls = time.monotonic(), 0.0, 0
    while time.monotonic() - started < 7.0:
        one = time.monotonic()
        assert address() == "192.0.2.2"
        longest, calls = max(longest, time.monotonic() - one), calls + 1
        time.sleep(0.01)
    told["longest"], told["calls"] = longest, calls
    # What the scenario would have cost.
    one = time.monotonic()
    try:
        direct("writer.aurora.internal", 1)
    except OSError:
        pass
    told["silence"] = time.monotonic() - one
    server.send_signal(signal.SIGCONT)
    hosts.write_text("192.0.2.3 writer.aurora.internal\n")
    server.send_signal(signal.SIGHUP)
    told["recovered"] = until(lambda: address() == "192.0.2.3")
finally:
    server.kill()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """What the scenario measured."""
    for program in ("dnsmasq", "unshare", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: dnsmasq-base, util-linux, iproute2)")
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network namespace needs root")
    folder = tmp_path_factory.mktemp("dns")
    resolver, names = folder / "resolv.conf", folder / "nsswitch.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    names.write_text("hosts: files dns\n")
    (folder / "scenario.py").write_text(SCENARIO)
    mounts = f"mount --bind {resolver} $(realpath /etc/resolv.conf) && mount --bind {names} /etc/nsswitch.conf"
    ran = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", f"{mounts} && exec {sys.executable} scenario.py {folder}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    measured: dict[str, float] = json.loads(ran.stdout)
    return measured


@pytest.mark.e2e
def test_a_name_in_use_costs_no_packets(told: dict[str, float]) -> None:
    assert told["without"] == 100
    assert told["with"] <= 2


@pytest.mark.e2e
def test_a_failover_is_followed_within_five_seconds(told: dict[str, float]) -> None:
    # Half a second for a machine that is busy with something else.
    assert told["followed"] <= 5.5


@pytest.mark.e2e
def test_a_silent_resolver_costs_a_known_name_next_to_nothing(told: dict[str, float]) -> None:
    assert told["silence"] >= 2
    assert told["calls"] > 100
    assert told["longest"] < 1


@pytest.mark.e2e
def test_a_resolver_that_answers_again_is_followed(told: dict[str, float]) -> None:
    assert told["recovered"] <= 10
