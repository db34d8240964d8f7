"""A statsd socket that keeps what it gets."""

import socket
import threading
from typing import Self


class StatsdReceiver:
    """Listens on a free UDP port of this machine.

    Attributes:
        port: What `STATSD_PORT` has to be.
        lines: Every line received so far.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            # A thread blocked in recv does not notice that its socket is closed.
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a service sends its metrics here."""
        return {"STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(self.port)}

    def _run(self) -> None:
        while datagram := self._socket.recv(65535):
            self.lines.extend(datagram.decode("utf-8", "replace").split("\n"))
