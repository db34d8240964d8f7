"""Serve a stub of Amazon SQS until the process is ended.

python -m tests.sqs_stub [--port N] [--no-ledger]
"""

import argparse
import asyncio
import gc
import os
import sys

from tests.sqs_stub.http import Caller
from tests.sqs_stub.server import Server
from tests.sqs_stub.service import Service

_PARENT_CHECK_SECONDS = 0.5


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    service = Service("", with_ledger=arguments.ledger, in_flight_limit=arguments.in_flight_limit)
    handler = Server(service)
    server = await loop.create_server(lambda: Caller(handler), "127.0.0.1", arguments.port, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    service.url = f"http://127.0.0.1:{port}"
    print(port, flush=True)

    def check_parent() -> None:
        if os.getppid() != arguments.parent:
            ended.set()
        loop.call_later(_PARENT_CHECK_SECONDS, check_parent)

    if arguments.parent:
        # A child of the parent may hold the other end of the pipe open, so that its end alone does not tell.
        check_parent()
        loop.add_reader(sys.stdin, lambda: ended.set() if not os.read(sys.stdin.fileno(), 1) else None)
    await ended.wait()


def main() -> None:
    """Print the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.sqs_stub", description="A stub of Amazon SQS.")
    parser.add_argument("--port", type=int, default=0, help="the port; any free one without it")
    parser.add_argument("--no-ledger", dest="ledger", action="store_false", help="keep no events, to measure speed")
    parser.add_argument("--in-flight-limit", type=int, default=120_000, help="messages of one queue in flight")
    parser.add_argument("--parent", type=int, default=0, help="end with this parent process, or when stdin closes")
    arguments = parser.parse_args()
    # Messages form no cycles; the collector would only look at each of them again and again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    asyncio.run(_serve(arguments))


if __name__ == "__main__":
    main()
