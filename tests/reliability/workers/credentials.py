"""The endpoint that gives a task its keys, which can be let fail and hang."""

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HANG_SECONDS = 3.0


class Endpoint(ThreadingHTTPServer):
    """Gives keys of short validity.

    Args:
        valid_seconds: For how long each is valid.

    Attributes:
        out: Set while it fails and hangs in turns.
        failed: How often it has done so.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, valid_seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.valid_seconds = valid_seconds
        self.out = threading.Event()
        self.failed = 0
        self.turns = itertools.cycle((True, False))

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a task asks here, and nowhere else."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.server_port}/credentials",
            # What the agent sets in every task.
            "ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:9/v4",
        }


class _Asked(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        if self.server.out.is_set():
            self.server.failed += 1
            if next(self.server.turns):
                self.send_error(500)
            else:
                # Longer than anybody waits for it.
                time.sleep(_HANG_SECONDS)
            return
        expires = time.time() + self.server.valid_seconds
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(expires))
        keys = {"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": "token"}
        body = json.dumps({**keys, "Expiration": f"{whole}.{int(expires % 1 * 1000):03d}Z"}).encode()
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextlib.contextmanager
def credentials_endpoint(valid_seconds: float) -> Iterator[Endpoint]:
    """An endpoint that runs."""
    endpoint = Endpoint(valid_seconds)
    thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        thread.join()
        endpoint.server_close()
