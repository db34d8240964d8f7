"""Serve on a free port of loopback, say which on standard output, and stop when standard input closes."""

import importlib
import os
import sys
import threading
from pathlib import Path

# Read by moto while it is imported. Policies that AWS manages are there in every account.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

NOT_A_SERVICE = {"__init__", "__main__", "patching"}


def patch() -> None:
    """Load every file beside this one that is named after a service."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in NOT_A_SERVICE and not path.stem.startswith("test_"):
            importlib.import_module(f"tests.terraform.emulator.{path.stem}")


def main() -> None:
    """Serve until standard input closes, which it does when the parent ends in whatever way."""
    patch()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
