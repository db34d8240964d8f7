"""What may be sent, and what is refused before a byte of it is."""

import pytest

from baselib.http.request import Address, Request


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/"),
        ("/a b", "/a%20b"),
        ("/ä?ö=ü", "/%C3%A4?%C3%B6=%C3%BC"),
        ("/a%20b?c=%3D", "/a%20b?c=%3D"),
        ("/a#b", "/a%23b"),
        ("/a?b#c", "/a?b%23c"),
        ("/a\r\nX-Admin: 1", "/a%0D%0AX-Admin:%201"),
        ("/a?b=\r\n\r\nGET /admin", "/a?b=%0D%0A%0D%0AGET%20/admin"),
        ("/a\x00", "/a%00"),
        ("/..a/b..", "/..a/b.."),
        ("/a?b=/../c", "/a?b=/../c"),
        ("/@host/", "/@host/"),
    ],
)
def test_a_path_cannot_forge_anything(path: str, target: str) -> None:
    assert Request.checked("GET", path).target == target


@pytest.mark.parametrize("path", ["", "a", "http://elsewhere/", "?a=b", "*"])
def test_a_path_begins_with_a_slash(path: str) -> None:
    with pytest.raises(ValueError, match=r"^the path does not begin with /$"):
        Request.checked("GET", path)


@pytest.mark.parametrize(
    "path", ["/..", "/../admin", "/a/../b", "/a/..", "/./a", "/%2e%2e/admin", "/a%2f..%2fb", "/a\\..\\b", "/%2E./a?b=c"]
)
def test_a_path_cannot_lead_out_of_the_dependencys(path: str) -> None:
    with pytest.raises(ValueError, match="segment of dots"):
        Request.checked("GET", path)


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /admin HTTP/1.1\r\n", "", "BREW"])
def test_other_methods_are_refused(method: str) -> None:
    with pytest.raises(ValueError, match="the method is not one of DELETE, GET, HEAD, OPTIONS, PUT, PATCH, POST"):
        Request.checked(method, "/")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Key": "hunter2\r\nX-Admin: 1"},
        {"X-Key": "hunter2\nX-Admin: 1"},
        {"X-Key": "hunter2\x00"},
        {"X-Key": "hunter2\n"},
        {"X-Key": "hunter2€"},
        {"X-Key\r\nX-Admin": "hunter2"},
        {"X-Key:": "hunter2"},
        {"": "hunter2"},
        {"X-Key": 2},
        {"X-Key": b"hunter2"},
        {b"X-Key": "hunter2"},
        {"Host": "hunter2"},
        {"content-length": "2"},
        {"Transfer-Encoding": "chunked"},
        {"CONNECTION": "close"},
        {"Upgrade": "h2c"},
        {"Expect": "100-continue"},
    ],
)
def test_a_header_that_would_change_the_message_is_refused_and_not_shown(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header") as error:
        Request.checked("GET", "/", headers=headers)
    assert "hunter2" not in str(error.value)


def test_json_and_body_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="json and body"):
        Request.checked("POST", "/", json=[], body=b"")
    # Empty JSON is JSON.
    assert Request.checked("POST", "/", json=[]).body == b"[]"
    assert Request.checked("POST", "/", json=0).body == b"0"


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        Request.checked("POST", "/", json={"a": object()})


def test_no_secret_is_in_its_repr() -> None:
    request = Request.checked("POST", "/hunter2", params={"a": "hunter2"}, headers={"X": "hunter2"}, body="hunter2")
    assert "hunter2" not in repr(request)
    assert "aHVudGVyMg" not in repr(Address.of("http://:hunter2@host"))
    assert "hunter2" not in repr(Address.of("http://:hunter2@host"))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://shop", (False, "shop", 80, "")),
        ("https://shop/", (True, "shop", 443, "")),
        ("http://shop:8080/stock/", (False, "shop", 8080, "/stock")),
        ("http://[fd00::1]:81", (False, "fd00::1", 81, "")),
        ("https://shop.internal.:444/?a=b#c", (True, "shop.internal.", 444, "")),
    ],
)
def test_the_address_is_that_of_the_url(url: str, address: tuple[object, ...]) -> None:
    found = Address.of(url)
    assert (found.https, found.host, found.port, found.prefix) == address
    assert found.authorization is None
