"""Names: what stands for a secret or a person is hidden however it is written, and what only looks like it is not."""

import pytest

from baselib.telemetry.logs.sensitive import _MOST_NAMES, SensitiveNames

HIDDEN = """
password passwords passwd passWord old_password newPassword2 USERPASSWORD DATABASE_PASSWORD db.password pwd userpwd
password_hash passphrase passcode pass secret client_secret clientSecret AWS_SECRET_ACCESS_KEY token tokens
refresh_token accessToken id_token csrf_token X-CSRFToken x-amz-security-token X-Amz-Signature jwt bearer otp pin auth
authorization Authorization Proxy-Authorization http.request.header.authorization auth_token api_key apikey apiKey
API_KEY APIKey X-Api-Key stripe_api_key access_key aws_access_key_id private_key privateKey secret_key cookie
Set-Cookie session sessionId session_id credential credentials dsn SENTRY_DSN email emails e_mail e-mail emailAddress
userEmail phone phone_number phoneNumber telephone mobile_number ssn card card_number cardNumber creditCard
credit-card-number cvv CVV2 iban IBAN bank_account birth_date birthDate date_of_birth dob birthday address
home_address billing_address first_name lastName surname passport
"""

SHOWN = """
author authors authorized authentication_method monkey key keys primary_key cache_key s3_key keyboard compass bypass
passed passes passenger pinned spinner opinion mapping shipping secretary tokenizer tokens_used token_count max_tokens
prompt_tokens password_changed_at has_password email_sent session_seconds cookie_name user_id username status bytes ms
route method ip client_ip ip_address remote_address cards discarded accession accessible microphone iphone phonetic
hotel addressed name filename span outcome queue_time release signature
"""


@pytest.mark.parametrize("name", HIDDEN.split())
def test_a_name_of_something_secret_is_hidden(name: str) -> None:
    assert SensitiveNames()[name]


@pytest.mark.parametrize("name", SHOWN.split())
def test_a_name_that_only_looks_like_one_is_shown(name: str) -> None:
    assert not SensitiveNames()[name]


@pytest.mark.parametrize("name", ["nickname", "nickName", "NICK_NAME", "user.nickname", "customer-number"])
def test_a_service_can_hide_names_of_its_own(name: str) -> None:
    assert SensitiveNames(["nickname", "customer_number"])[name]
    assert not SensitiveNames()[name]


def test_a_services_own_name_is_a_whole_name() -> None:
    assert not SensitiveNames(["name"])["filename"]
    assert not SensitiveNames(["name"])["file_name"]


@pytest.mark.parametrize("name", ["", "_", "1", "é", "\ud800", "." * 1000])
def test_a_name_without_words_is_shown(name: str) -> None:
    assert not SensitiveNames(["x"])[name]


def test_a_name_of_any_length_is_decided() -> None:
    assert SensitiveNames()["x" * 100_000 + "_password"]


def test_names_without_number_take_no_memory_without_end() -> None:
    names = SensitiveNames()
    for number in range(3 * _MOST_NAMES):
        assert not names[f"user {number}"]
    assert len(names) <= _MOST_NAMES
    assert names["password"]
