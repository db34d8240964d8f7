"""Access: details are for private callers and for the token's holder, whatever a client writes into a header."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.contract import Settings
from baselib.contract.parsers import networks
from baselib.health.access import may_see_details

TOKEN = "0123456789abcdef"
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "2600::1",
    "fe00::1",
    "::ffff:8.8.8.8",
    "[2600::1]:443",
]
# Python's `is_private` is true of most of these, in some of its releases.
SPECIAL = [
    "0.0.0.0",
    "0.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::2",
    "::10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "::ffff:169.254.169.254",
]
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fc00::1",
    "fd00::1",
    "::1",
    "::ffff:10.0.0.1",
    "::FFFF:a00:1",
]
GARBAGE = [
    "",
    " ",
    "unknown",
    "10.0.0",
    "10.0.0.1.1",
    "010.0.0.1",
    "localhost",
    "1",
    "[",
    "[]",
    ":",
    ".".join(["\N{ARABIC-INDIC DIGIT ZERO}"] * 4),
    "10.0.0.1/8",
    "0x0a.0.0.1",
    "167772161",
    "10.1",
    "10.0.0.1:",
    "10.0.0.1:x",
    "10.0.0.1:999999",
    "[10.0.0.1]x",
    "[fd00::1",
    "fd00::1]",
    "[fd00::1]8.8.8.8",
    "[fd00::1]:80:80",
    "fd00::1%eth0",
    "fe80::1%eth0",
    "[fd00::1%25eth0]",
    '"10.0.0.1"',
    "for=10.0.0.1",
    "10.0.0.1;8.8.8.8",
    "10.0.0.1 8.8.8.8",
    "10.0.0.1\x00",
    "10.0.0.1\n8.8.8.8",
    "_hidden",
    "unix:",
]


def _may(peer: str, token: str | None = None, trusted: str = "", **headers: str) -> bool:
    environ = {"REMOTE_ADDR": peer, **{f"HTTP_{name}": value for name, value in headers.items()}}
    return may_see_details(environ, token, networks(trusted) if trusted else ())


@pytest.mark.parametrize("peer", [*PRIVATE, "10.0.0.1:8080", "[fd00::1]:80", "[fd00::1]"])
def test_a_private_peer_may(peer: str) -> None:
    assert _may(peer)


@pytest.mark.parametrize("peer", [*PUBLIC, *SPECIAL, *GARBAGE, "8.8.8.8:8080", "10.0.0.1,8.8.8.8"])
def test_a_public_or_unknown_peer_may_not(peer: str) -> None:
    assert not _may(peer)
    # Neither may the one behind it, whatever it says.
    assert not _may(peer, X_FORWARDED_FOR="10.0.0.1")
    assert not _may(peer, trusted="10.0.0.0/8", X_FORWARDED_FOR="10.0.0.1")


def test_a_request_without_a_peer_may_not() -> None:
    # A unix socket has none either.
    assert not may_see_details({}, None)
    assert not may_see_details({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "10.0.0.1"}, None)


@pytest.mark.parametrize("peer", PUBLIC)
@pytest.mark.parametrize("forged", PRIVATE)
def test_a_public_peer_gains_nothing_by_a_header(peer: str, forged: str) -> None:
    for name in ("X_FORWARDED_FOR", "X_REAL_IP", "X_FORWARDED_HOST", "X_CLIENT_IP", "TRUE_CLIENT_IP", "HOST", "VIA"):
        assert not _may(peer, **{name: forged})
    assert not _may(peer, FORWARDED=f"for={forged}")


@pytest.mark.parametrize("client", PRIVATE)
@pytest.mark.parametrize("before", ["", "10.1.2.3, ", "fd00::9 ,127.0.0.1,\t"])
def test_a_private_client_behind_the_load_balancer_may(client: str, before: str) -> None:
    assert _may("10.0.0.2", X_FORWARDED_FOR=before + client)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.2"])
@pytest.mark.parametrize("before", ["8.8.8.8, ", "2600::1,", "rubbish, ", "unknown, ", ", ", "10.0.0.1, 8.8.8.8, "])
def test_a_chain_of_proxies_that_nobody_has_declared_closes(peer: str, before: str) -> None:
    # A sidecar appends the load balancer's private address, CloudFront's VPC origin its own: the caller stands before.
    assert not _may(peer, X_FORWARDED_FOR=f"{before}10.0.0.1")


@pytest.mark.parametrize("client", [*PUBLIC, *SPECIAL, *GARBAGE, "8.8.8.8:50000"])
@pytest.mark.parametrize("forged", ["", "10.0.0.1, ", "127.0.0.1,", "10.0.0.1, 10.0.0.1, "])
def test_a_public_client_behind_the_load_balancer_may_not_whatever_it_wrote(client: str, forged: str) -> None:
    assert not _may("10.0.0.2", X_FORWARDED_FOR=forged + client)


VPC = "10.0.0.0/16"
EDGE = "203.0.113.0/24, 2001:db8::/32"


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "may"),
    [
        # The caller called the load balancer itself.
        ("10.0.0.2", VPC, "8.8.8.8", False),
        ("10.0.0.2", VPC, "192.168.7.7", True),
        # Through the load balancer and a proxy in the VPC.
        ("10.0.0.2", VPC, "8.8.8.8, 10.0.3.3", False),
        ("10.0.0.2", VPC, "192.168.7.7, 10.0.3.3", True),
        ("10.0.0.2", VPC, "192.168.7.7, 10.0.3.3:443, ::ffff:10.0.4.4", True),
        # A sidecar in front of the process, and what it was told.
        ("127.0.0.1", VPC, "8.8.8.8, 10.0.3.3", False),
        ("127.0.0.1", VPC, "192.168.7.7, 10.0.3.3", True),
        # What stands before the caller was written by the caller, and neither opens nor closes.
        ("10.0.0.2", VPC, "192.168.7.7, 8.8.8.8, 10.0.3.3", False),
        ("10.0.0.2", VPC, "10.0.9.9, 8.8.8.8", False),
        ("10.0.0.2", VPC, "rubbish, 8.8.4.4, 192.168.7.7, 10.0.3.3", True),
        # Everybody in the chain is a proxy: the farthest is the caller.
        ("10.0.0.2", VPC, "10.0.5.5, 10.0.3.3", True),
        ("10.0.0.2", EDGE, "203.0.113.9", False),
        # What is no address is nobody.
        ("10.0.0.2", VPC, "192.168.7.7, rubbish, 10.0.3.3", False),
        ("10.0.0.2", VPC, "192.168.7.7, , 10.0.3.3", False),
        ("10.0.0.2", VPC, "192.168.7.7, 10.0.3.3,", False),
        ("10.0.0.2", VPC, "", False),
        # CloudFront in front of the load balancer.
        ("10.0.0.2", EDGE, "8.8.8.8, 203.0.113.9", False),
        ("10.0.0.2", EDGE, "10.1.1.1, 8.8.8.8, 203.0.113.9", False),
        ("10.0.0.2", EDGE, "10.1.1.1, 203.0.113.9", True),
        ("10.0.0.2", EDGE, "10.1.1.1, [2001:db8::7]:443", True),
        # A trusted proxy may itself have a public address; a public peer that is none gains nothing.
        ("203.0.113.9", EDGE, "10.1.1.1", True),
        ("203.0.113.9", EDGE, "8.8.8.8", False),
        ("8.8.8.8", EDGE, "10.1.1.1, 203.0.113.9", False),
    ],
)
def test_entries_of_trusted_proxies_are_passed_over(peer: str, trusted: str, forwarded: str, may: bool) -> None:
    assert _may(peer, trusted=trusted, X_FORWARDED_FOR=forwarded) == may


def test_a_trusted_proxy_with_a_public_address_is_no_private_caller() -> None:
    assert not _may("203.0.113.9", trusted=EDGE)
    assert _may("10.0.0.2", trusted=EDGE)


def test_an_address_in_another_header_can_only_close() -> None:
    assert _may("10.0.0.2", X_REAL_IP="10.0.0.1")
    # nginx tells the caller in this way where X-Forwarded-For was not configured.
    for real in ("8.8.8.8", "rubbish", "", "10.0.0.1, 8.8.8.8"):
        assert not _may("127.0.0.1", X_REAL_IP=real)
        assert not _may("10.0.0.2", trusted=VPC, X_REAL_IP=real, X_FORWARDED_FOR="192.168.7.7")


@pytest.mark.parametrize("client", ["10.0.0.1:50000", "[fd00::1]:50000"])
def test_a_port_behind_the_address_is_no_matter(client: str) -> None:
    assert _may("10.0.0.2", X_FORWARDED_FOR=client)


def test_an_unknown_proxys_header_closes() -> None:
    assert not _may("10.0.0.2", FORWARDED="for=10.0.0.1")
    assert not _may("10.0.0.2", X_FORWARDED_FOR="10.0.0.1", FORWARDED="for=8.8.8.8")


@pytest.mark.parametrize("peer", [*PUBLIC, *PRIVATE, *GARBAGE])
def test_the_token_opens_to_anybody(peer: str) -> None:
    assert _may(peer, TOKEN, AUTHORIZATION=f"Bearer {TOKEN}")
    assert _may(peer, TOKEN, AUTHORIZATION=f"Bearer {TOKEN}", X_FORWARDED_FOR="8.8.8.8")


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "bEaReR ", "Bearer   "])
def test_the_schemes_case_and_blanks_are_no_matter(scheme: str) -> None:
    assert _may("8.8.8.8", TOKEN, AUTHORIZATION=scheme + TOKEN)


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer\t{TOKEN}",
        f"Bearer{TOKEN}",
        f" Bearer {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Bearer wrong,Bearer {TOKEN}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}\x00",
        f"Bearer {TOKEN[:8]} {TOKEN[8:]}",
        f"Token {TOKEN}",
        "Bearer \udcff",
    ],
)
def test_other_forms_of_the_token_open_to_nobody(authorization: str) -> None:
    assert not _may("8.8.8.8", TOKEN, AUTHORIZATION=authorization)


@pytest.mark.parametrize(
    "authorization",
    ["", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer None", "ä"],
)
def test_a_wrong_token_opens_to_nobody_public(authorization: str) -> None:
    assert not _may("8.8.8.8", TOKEN, AUTHORIZATION=authorization)
    assert not _may("10.0.0.2", TOKEN, AUTHORIZATION=authorization, X_FORWARDED_FOR="8.8.8.8")
    assert _may("10.0.0.2", TOKEN, AUTHORIZATION=authorization)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer None"])
def test_without_a_token_no_authorization_opens(authorization: str) -> None:
    assert not _may("8.8.8.8", None, AUTHORIZATION=authorization)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40), st.text(alphabet="0123456789.:, []abcdf", max_size=40))
def test_whatever_is_sent_a_public_client_is_refused_and_nothing_raises(written: str, more: str) -> None:
    for forged in (written, more):
        assert not _may("8.8.8.8", TOKEN, X_FORWARDED_FOR=forged)
        assert not _may("10.0.0.2", TOKEN, X_FORWARDED_FOR=f"{forged}, 8.8.8.8")
        assert not _may("10.0.0.2", TOKEN, VPC, X_FORWARDED_FOR=f"{forged}, 8.8.8.8, 10.0.3.3")
        _may(forged, TOKEN, AUTHORIZATION=forged, X_FORWARDED_FOR=forged)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.text(min_size=16, max_size=24), st.from_regex(r"[ -~]{16,20}", fullmatch=True)))
def test_every_token_that_the_settings_accept_can_be_presented(token: str) -> None:
    identity = {"SERVICE_PRODUCT": "duolingo", "SERVICE_NAME": "api", "SERVICE_OWNER": "platform"}
    try:
        Settings.from_environment({**identity, "HEALTH_TOKEN": token})
    except SystemExit:
        return
    # As a client sends it and a WSGI server hands it on: bytes read as Latin-1, blanks at the ends cut off.
    header = f"Bearer {token}".encode().decode("latin-1").strip()
    assert _may("8.8.8.8", token, AUTHORIZATION=header)
