"""Who may see the detail endpoints: callers from private networks, and callers with the token."""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any


def may_see_details(environ: Mapping[str, Any], token: str | None) -> bool:
    """Whether a request may be told what the service knows of itself.

    Behind a load balancer the peer is always the load balancer, and what the client writes into `X-Forwarded-For`
    stands before what the load balancer appends
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html). Peer and last entry
    must both be private, so that a forged entry gains nothing.

    Args:
        environ: The request's WSGI environment.
        token: What opens the endpoints to anybody who presents it as a bearer; None when nothing does.
    """
    if token is not None:
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return True
    if not _private(str(environ.get("REMOTE_ADDR", ""))):
        return False
    if environ.get("HTTP_FORWARDED"):
        # No load balancer of AWS sends this header, so a client wrote it, through a proxy that we do not know.
        return False
    forwarded = environ.get("HTTP_X_FORWARDED_FOR")
    return forwarded is None or _private(str(forwarded).rpartition(",")[2].strip())


def _private(address: str) -> bool:
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        # With client port preservation the load balancer appends address:port.
        address = address.partition(":")[0]
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_private)
