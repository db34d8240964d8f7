"""What is told of an error: short, on one line, and without a secret."""

import pytest

from baselib.health.errors import told

SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://app:{SECRET}@db:5432/main refused",
        f"redis://:{SECRET}@cache/0",
        f"cannot reach 'https://{SECRET}@sentry.example/1'",
        f"postgres://app:pa/{SECRET}@db/main",
        f"postgres://app:p@{SECRET}@db/main",
        f"host=db user=app password={SECRET} dbname=main",
        f"password='{SECRET} with blanks' host=db",
        f'{{"db_password": "{SECRET}", "host": "db"}}',
        f"{{'api_key': '{SECRET}'}}",
        f"GET /?token={SECRET}&page=2",
        f"https://bucket.s3.amazonaws.com/key?X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}&X-Amz-Expires=60",
        f"Authorization: Bearer {SECRET}{SECRET}",
        f"authorization: basic {SECRET}{SECRET}",
        f"sent Bearer {SECRET}{SECRET}",
        f"AWS_SECRET={SECRET}",
        f"client_secret = {SECRET}",
        f"app:{SECRET}@db is not reachable",
        "x" * 1023 + f"://app:{SECRET}@db",
        " " * 1010 + f"://app:{SECRET}@db",
        f"://{SECRET}" + "y" * 5000 + "@db",
    ],
)
def test_a_secret_is_masked(text: str) -> None:
    assert SECRET not in told(OSError(text))


@pytest.mark.parametrize(
    "text",
    ["[Errno 111] Connection refused", "db:5432 is away", "https://shop.example/healthz/live answered 503", "at 12:30"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert told(OSError(text)) == f"OSError: {text}"


def test_what_stands_around_a_secret_stays() -> None:
    assert told(OSError("no route to postgresql://app:x@db:5432/main, password=x, host=db")) == (
        "OSError: no route to postgresql://***@db:5432/main, password=***, host=db"
    )


def test_an_error_is_one_short_line() -> None:
    assert told(OSError("first\nsecond\t third\x0b")) == "OSError: first second third"
    for long in ("x" * 1_000, "word " * 1_000_000, "://" * 100_000, "a:" * 100_000, "token" * 100_000):
        assert len(told(ValueError(long))) <= 300


def test_an_error_without_text_is_its_type() -> None:
    assert told(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert told(SystemExit(3)) == "SystemExit: 3"


class _WithoutTextError(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


def test_an_errors_own_code_may_raise_anything() -> None:
    assert told(_WithoutTextError()) == "_WithoutTextError"
