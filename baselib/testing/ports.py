"""Ports of this machine."""

import socket


def claim_port(port: int, host: str = "127.0.0.1") -> int:
    """The port if it is free, a free one for 0; nobody else is kept from taking it in the meantime.

    Args:
        port: The port, or 0.
        host: The address on which it has to be free.

    Raises:
        OSError: It is taken or may not be used.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
