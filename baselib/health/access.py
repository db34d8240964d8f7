"""Who may see the detail endpoints: callers from private networks, and callers with the token."""

import hmac
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

_Address = IPv4Address | IPv6Address
_Networks = Sequence[IPv4Network | IPv6Network]

# Written out, because `is_private` means "not globally reachable", takes in documentation, benchmark, link-local and
# unspecified addresses, and differs between releases of Python.
_PRIVATE: Final[_Networks] = tuple(
    ip_network(network)
    for network in (
        # RFC 1918
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        # RFC 6598, which a VPC may use: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
        "100.64.0.0/10",
        # RFC 1122 and RFC 4291: this host
        "127.0.0.0/8",
        "::1/128",
        # RFC 4193
        "fc00::/7",
    )
)
_PORT: Final = r"(?::[0-9]{1,5})?"
# 10.0.0.1, 10.0.0.1:443 (a load balancer with client port preservation), fd00::1, [fd00::1], [fd00::1]:443
_ENTRY: Final = re.compile(rf"([0-9.]{{7,15}}){_PORT}|\[([0-9A-Fa-f:.]{{2,45}})\]{_PORT}|([0-9A-Fa-f:.]{{2,45}})")


def may_see_details(environ: Mapping[str, Any], token: str | None, trusted_proxies: _Networks = ()) -> bool:
    """Whether a request may be told what the service knows of itself.

    Each proxy appends the address of who called it to `X-Forwarded-For`, behind whatever the client wrote there
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html). So the header is
    read from the right, as far as proxies that are trusted have written it. Where nobody says which those are, no entry
    can be told from another, and every one must be private. A forged entry can close the endpoints, never open them.

    >>> may_see_details({"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": "10.0.0.1, 8.8.8.8"}, None)
    False

    Args:
        environ: The request's WSGI environment.
        token: What opens the endpoints to anybody who presents it as a bearer; None when nothing does.
        trusted_proxies: The networks of proxies whose entries are believed; the first other entry is the caller.
    """
    if token is not None and _presents(environ, token):
        return True
    # No load balancer of AWS sends `Forwarded`, so a client wrote it, through a proxy that we do not know.
    if environ.get("HTTP_FORWARDED"):
        return False
    peer = _address(environ.get("REMOTE_ADDR", ""))
    if peer is None or not (_private(peer) or _within(peer, trusted_proxies)):
        return False
    # Some proxies name the caller only here, and so does a forger: believed where it closes.
    if not _private(_address(environ.get("HTTP_X_REAL_IP", "127.0.0.1"))):
        return False
    forwarded = environ.get("HTTP_X_FORWARDED_FOR")
    return _private(peer) if forwarded is None else _forwarded_for_private(str(forwarded), trusted_proxies)


def _forwarded_for_private(header: str, trusted_proxies: _Networks) -> bool:
    entries = map(_address, reversed(header.split(",")))
    if not trusted_proxies:
        return all(_private(entry) for entry in entries)
    caller = None
    # Where all are trusted proxies, the farthest is the caller.
    for caller in entries:
        if caller is None or not _within(caller, trusted_proxies):
            break
    return _private(caller)


def _presents(environ: Mapping[str, Any], token: str) -> bool:
    # The scheme's case does not matter, and it may be followed by several blanks: RFC 9110, 11.1 and 11.4.
    scheme, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip(" ").encode("utf-8", "backslashreplace"), token.encode()
    )


def _address(text: object) -> _Address | None:
    """An address as a server or proxy writes it; None for everything else, zones included."""
    match = _ENTRY.fullmatch(str(text).strip())
    if match is None:
        return None
    try:
        address = ip_address(match[match.lastindex or 0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _private(address: _Address | None) -> bool:
    return address is not None and _within(address, _PRIVATE)


def _within(address: _Address, networks: _Networks) -> bool:
    return any(address in network for network in networks)
