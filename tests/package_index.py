"""A web server of this machine with an organisation's package index in it."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

# The address that a service is copied with; a test then puts the server's in its place.
ADDRESS = "https://pypi.example.com/simple"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder, and give the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def publish(wheel: Path, folder: Path) -> None:
    """Put a wheel of baselib into the index (PEP 503) at `simple/` of a folder."""
    project = folder / "simple" / "baselib"
    project.mkdir(parents=True)
    shutil.copy2(wheel, project)
    (project / "index.html").write_text(f'<a href="{wheel.name.replace("+", "%2B")}">{wheel.name}</a>')


def use(service: Path, address: str) -> None:
    """Let a service that was copied with `ADDRESS` use the index of a server."""
    project = service / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    assert ADDRESS in text
    project.write_text(text.replace(ADDRESS, f"{address}/simple"), encoding="utf-8")
