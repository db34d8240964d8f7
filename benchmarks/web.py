"""Whole services under gunicorn and load: requests a second, CPU per request, latency, memory, balance.

python -m benchmarks.web [ROUNDS]

Every variant runs with the same settings (two gthread workers of four threads, twelve connections each), every round,
in a shuffled order, each time as fresh processes. Requests per second depend on what else the machine does; CPU per
request is what to compare.
"""

import contextlib
import dataclasses
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CONNECTIONS: Final = 16
SECONDS: Final = 4
WORKERS: Final = 2
THREADS: Final = 4

TITLES: Final[Mapping[str, str]] = {
    "plain": "Flask, no log",
    "access-log": "gunicorn's access log",
    "prometheus": "prometheus_flask_exporter",
    "dockerflow": "Dockerflow with JSON log",
    "talisker": "Talisker with statsd",
    "sentry": "sentry-sdk's defaults",
    "baselib": "baselib, everything on",
}
ROUTES: Final[Mapping[str, str]] = {"trivial": "/", "realistic": "/orders"}

_LUA: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"lesson": "Basics 1", "learner": 7, "answers": ["el gato", "la casa", "yo como pan"]}'
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One variant under load once.

    Attributes:
        requests_per_second: As wrk counted them.
        microseconds: CPU of all the service's processes per request.
        p50: Milliseconds.
        p99: Milliseconds.
        busiest: The share of the CPU that the busiest worker used, of that of all workers.
        private: MiB of a worker that it shares with nobody.
        shared: MiB of a worker that it shares.
        ready: Seconds from the start to the first answer.
        errors: Requests that failed.
    """

    requests_per_second: float
    microseconds: float
    p50: float
    p99: float
    busiest: float
    private: float
    shared: float
    ready: float
    errors: int


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        sys.exit("benchmarks.web: wrk is not installed (Debian: apt-get install wrk)")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for route in ROUTES:
        print(table(route, measure(route, rounds)))


def measure(route: str, rounds: int, variants: Sequence[str] = tuple(TITLES)) -> dict[str, list[Sample]]:
    """Each variant in each round.

    Args:
        route: `trivial` or `realistic`.
        rounds: How often.
        variants: Which.
    """
    samples: dict[str, list[Sample]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in random.sample(list(variants), len(variants)):
            samples[variant].append(_sample(variant, ROUTES[route]))
    return samples


def table(route: str, samples: Mapping[str, Sequence[Sample]]) -> str:
    """Medians as a table in Markdown; ratios and spread of the CPU are against the first variant.

    Args:
        route: What was asked for.
        samples: What was measured.
    """
    peer = _median(next(iter(samples.values())), "microseconds")
    head = [
        f"{route} route",
        "CPU us/request",
        "throughput per CPU",
        "spread",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "busiest worker",
        "private MiB",
        "shared MiB",
        "ready s",
        "errors",
    ]
    rows = [head, ["---"] * len(head)]
    for variant, found in samples.items():
        cpu = [sample.microseconds for sample in found]
        middle = statistics.median(cpu)
        rows.append(
            [
                TITLES[variant],
                f"{middle:.0f}",
                f"{peer / middle:.2f}",
                f"{(max(cpu) - min(cpu)) / middle:.0%}",
                f"{_median(found, 'requests_per_second'):.0f}",
                f"{_median(found, 'p50'):.2f}",
                f"{_median(found, 'p99'):.1f}",
                f"{_median(found, 'busiest'):.0%}",
                f"{_median(found, 'private'):.1f}",
                f"{_median(found, 'shared'):.1f}",
                f"{_median(found, 'ready'):.2f}",
                f"{sum(sample.errors for sample in found)}",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _median(samples: Sequence[Sample], field: str) -> float:
    return float(statistics.median(getattr(sample, field) for sample in samples))


def _sample(variant: str, path: str) -> Sample:
    with _stub() as aws, _statsd() as statsd, tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "orders.lua")
        script.write_text(_LUA, encoding="utf-8")
        port = _free_port()
        began = time.monotonic()
        with _service(variant, port, aws, statsd) as master:
            url = f"http://127.0.0.1:{port}{path}"
            _await(port)
            ready = time.monotonic() - began
            extra = ["-s", str(script)] if path == "/orders" else []
            _wrk(url, 1, extra)
            workers = _children(master)
            before = {process: _cpu(process) for process in [master, *workers]}
            load = _wrk(url, SECONDS, extra)
            used = {process: _cpu(process) - before[process] for process in before}
            memory = [_memory(worker) for worker in workers]
    requests = int(_found(r"(\d+) requests in", load))
    busy = [used[worker] for worker in workers]
    return Sample(
        requests_per_second=float(_found(r"Requests/sec:\s+([\d.]+)", load)),
        microseconds=sum(used.values()) / max(requests, 1) * 1e6,
        p50=_milliseconds(_found(r"(?m)^ +50% +(\S+)$", load)),
        p99=_milliseconds(_found(r"(?m)^ +99% +(\S+)$", load)),
        busiest=max(busy) / max(sum(busy), 1e-9),
        private=statistics.mean(private for private, _ in memory),
        shared=statistics.mean(shared for _, shared in memory),
        ready=ready,
        errors=_errors(load),
    )


@contextlib.contextmanager
def _service(variant: str, port: int, aws: int, statsd: int) -> Iterator[int]:
    """The service of a variant; yields the id of gunicorn's master."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "SERVICE_PRODUCT": "bench",
        "SERVICE_NAME": "api",
        "SERVICE_OWNER": "bench",
        "BENCHMARK_VARIANT": "plain" if variant == "access-log" else variant,
        "BENCHMARK_QUEUE": f"http://127.0.0.1:{aws}/000000000000/bench",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "SENTRY_DSN": "http://key@127.0.0.1:9/1",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(statsd),
        "STATSD_DSN": f"udp://127.0.0.1:{statsd}/bench.api",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "LOG_FORMAT": "json",
        "DRAIN_SECONDS": "0",
    }
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(_command(variant, port), env=environment, cwd=ROOT, stdout=nowhere, stderr=nowhere)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def _command(variant: str, port: int) -> list[str]:
    if variant == "baselib":
        return [sys.executable, "-m", "baselib.cli", "serve", "--host", "127.0.0.1", "benchmarks.service:app"]
    program = "talisker.gunicorn" if variant == "talisker" else "gunicorn"
    return [
        str(Path(sys.executable).with_name(program)),
        "benchmarks.service:app",
        f"--bind=127.0.0.1:{port}",
        f"--workers={WORKERS}",
        f"--threads={THREADS}",
        "--worker-class=gthread",
        f"--worker-connections={3 * THREADS}",
        "--keep-alive=75",
        "--preload",
        "--no-control-socket",
        *(["--access-logfile=-"] if variant == "access-log" else []),
    ]


@contextlib.contextmanager
def _stub() -> Iterator[int]:
    stub = [sys.executable, "-m", "benchmarks.aws_stub"]
    process = subprocess.Popen(stub, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())  # type: ignore[union-attr]
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def _statsd() -> Iterator[int]:
    """A socket that is bound and never read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        yield receiver.getsockname()[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1):
            return
        time.sleep(0.01)
    raise RuntimeError("the service did not answer within 30 s")


def _wrk(url: str, seconds: int, extra: Sequence[str]) -> str:
    arguments = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *extra, url]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def _errors(load: str) -> int:
    failed = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", load)))
    return failed + sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", load)))


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk did not say {pattern}:\n{text}")
    return found.group(1)


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def _cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> tuple[float, float]:
    """Private and shared MiB of a process."""
    private = shared = 0
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name.startswith("Private_"):
            private += int(rest.split()[0])
        elif name.startswith("Shared_"):
            shared += int(rest.split()[0])
    return private / 1024, shared / 1024


if __name__ == "__main__":
    main()
