"""CPU of `aws.client()` when the client is there, and of a metered call against boto3's own.

python -m benchmarks.aws_client
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.rounds import measure, report

GETTING = ("a dictionary's get", "aws.client()", "aws.client(region=...)")
CALLING = ("boto3", "baselib", "baselib, metrics sent")
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
GETS, CALLS = 200_000, 400

STUB = """
import socket, threading
answer = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/x-amz-json-1.0\\r\\n"
answer += b'Content-Length: 16\\r\\n\\r\\n{"QueueUrls":[]}'
def serve(connection):
    while data := connection.recv(65536):
        while not (b"\\r\\n\\r\\n" in data and data.endswith(b"}")):
            data += connection.recv(65536)
        connection.sendall(answer)
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


def getting(variant: str) -> Callable[[], object]:
    """What gets a client once."""
    if variant == GETTING[0]:
        made = {"sqs": object()}
        return lambda: made.get("sqs")
    from baselib import aws  # noqa: PLC0415

    if variant == GETTING[1]:
        return lambda: aws.client("sqs")
    return lambda: aws.client("sqs", region="us-east-1")


def calling(variant: str, url: str, statsd: int) -> Callable[[], Any]:
    """What calls once."""
    if variant == CALLING[0]:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        config = Config(retries={"mode": "standard", "total_max_attempts": 4}, tcp_keepalive=True)
        return boto3.client("sqs", endpoint_url=url, region_name="us-east-1", config=config).list_queues  # type: ignore[no-any-return]
    from baselib import aws  # noqa: PLC0415
    from baselib.contract import Settings  # noqa: PLC0415
    from baselib.telemetry import metrics  # noqa: PLC0415
    from baselib.telemetry.metrics import UdpTransport  # noqa: PLC0415

    if variant == CALLING[2]:
        metrics.configure(UdpTransport("127.0.0.1", statsd), prefix="bench.api", tags={"environment": "prod"})
    aws.configure_aws(
        Settings(product="bench", service="api", owner="bench", aws_region="us-east-1", aws_endpoint_url=url)
    )
    return aws.client("sqs").list_queues  # type: ignore[no-any-return]


def cpu(work: Callable[[], object], times: int) -> float:
    """Microseconds of CPU of one."""
    for _ in range(20):
        work()
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) == 1:
        report("a client that is there", measure("benchmarks.aws_client", GETTING, rounds=5))
        report("a call answered by a stub", measure("benchmarks.aws_client", CALLING, rounds=7))
        return
    variant = sys.argv[1]
    os.environ.update(KEYS)
    if variant in GETTING:
        print(json.dumps(cpu(getting(variant), GETS)))
        return
    with (
        subprocess.Popen([sys.executable, "-c", STUB], stdout=subprocess.PIPE, text=True) as stub,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        assert stub.stdout is not None
        receiver.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{stub.stdout.readline().strip()}"
        try:
            print(json.dumps(cpu(calling(variant, url, receiver.getsockname()[1]), CALLS)))
        finally:
            stub.kill()


if __name__ == "__main__":
    main()
