"""Access: details are for private callers and for the token's holder, whatever a client writes into a header."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselib.contract import Settings
from baselib.health.access import may_see_details

TOKEN = "0123456789abcdef"
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.64.0.1", "172.32.0.1", "2600::1", "::ffff:8.8.8.8", "[2600::1]:443"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "fd00::1", "::1", "::ffff:10.0.0.1", "fe80::1"]
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
]


def _may(peer: str, token: str | None = None, **headers: str) -> bool:
    return may_see_details({"REMOTE_ADDR": peer, **{f"HTTP_{name}": value for name, value in headers.items()}}, token)


@pytest.mark.parametrize("peer", [*PRIVATE, "10.0.0.1:8080", "[fd00::1]:80", "[fd00::1]"])
def test_a_private_peer_may(peer: str) -> None:
    assert _may(peer)


@pytest.mark.parametrize("peer", [*PUBLIC, *GARBAGE, "8.8.8.8:8080", "10.0.0.1,8.8.8.8"])
def test_a_public_or_unknown_peer_may_not(peer: str) -> None:
    assert not _may(peer)


def test_a_request_without_a_peer_may_not() -> None:
    assert not may_see_details({}, None)


@pytest.mark.parametrize("peer", PUBLIC)
@pytest.mark.parametrize("forged", PRIVATE)
def test_a_public_peer_gains_nothing_by_a_header(peer: str, forged: str) -> None:
    assert not _may(peer, X_FORWARDED_FOR=forged)
    assert not _may(peer, FORWARDED=f"for={forged}")
    assert not _may(peer, X_REAL_IP=forged)


@pytest.mark.parametrize("client", PRIVATE)
@pytest.mark.parametrize("before", ["", "8.8.8.8, ", "8.8.8.8,", "rubbish, "])
def test_a_private_client_behind_the_load_balancer_may(client: str, before: str) -> None:
    assert _may("10.0.0.2", X_FORWARDED_FOR=before + client)


@pytest.mark.parametrize("client", [*PUBLIC, *GARBAGE, "8.8.8.8:50000"])
@pytest.mark.parametrize("forged", ["", "10.0.0.1, ", "127.0.0.1,", "10.0.0.1, 10.0.0.1, "])
def test_a_public_client_behind_the_load_balancer_may_not_whatever_it_wrote(client: str, forged: str) -> None:
    assert not _may("10.0.0.2", X_FORWARDED_FOR=forged + client)


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
