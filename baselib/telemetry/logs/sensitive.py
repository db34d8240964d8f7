"""Which names stand for a secret or for personal data.

>>> names = SensitiveNames()
>>> [name for name in ("apiKey", "X-Api-Key", "db.password", "monkey", "author", "tokens_used") if names[name]]
['apiKey', 'X-Api-Key', 'db.password']

The groups follow OWASP's list of data to exclude from logs:
https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude
"""

import re
from collections.abc import Iterable
from typing import Final


def _listed(names: str) -> list[str]:
    return names.split()


# Hidden wherever the words occur in a name, in the singular or the plural, written together or apart.
_SECRETS: Final = frozenset(
    _listed(
        """
        accesskey accountkey authkey apikey authorization bearer clientsecret cookie cookies credential creds csrf dsn
        encryptionkey hmackey jwt licensekey masterkey otp passcode passphrase passwd password pin privatekey pwd
        secret secretkey session sessionid sessionkey sharedkey signingkey sshkey token totp xsrf
        amzsignature dbpass userpass smtppass
        """
    )
)
_PERSONAL: Final = frozenset(
    _listed(
        """
        accountnumber bankaccount birthdate birthday birthname cardnumber creditcard cvc cvv dateofbirth debitcard dob
        email emailaddress familyname firstname fullname givenname iban lastname maidenname mobilenumber msisdn
        nationalinsurance passport phone phonenumber postaladdress routingnumber socialsecurity sortcode ssn
        streetaddress surname taxid telephone
        """
    )
)
_WORDS: Final = _SECRETS | _PERSONAL

# Hidden also at the end of a longer word, such as `userpassword`; no English word ends so.
_ENDINGS: Final = tuple(
    _listed(
        """
        accesskey accesstoken apikey authtoken cardnumber clientsecret credential credentials emailaddress passphrase
        passwd password phonenumber privatekey pwd refreshtoken secretkey sessionid sessiontoken
        """
    )
)

# Hidden only as the whole name, because inside a longer one they mean other things.
_WHOLE: Final = frozenset(
    _listed(
        """
        auth card mail pan pass pw sid sig
        """
    )
)

# An address is a person's unless one of these stands before it: operators need those of machines.
_MACHINES: Final = frozenset(
    _listed(
        """
        base bind broadcast gateway host ip ipv listen local mac memory network peer remote server socket upstream
        """
    )
)

# A name that ends with one of these tells about the secret: `tokens_used`, `password_changed_at`, `email_sent`.
_ABOUT: Final = frozenset(
    _listed(
        """
        age algorithm arn at attempts bytes changed confirmed count country created disabled domain enabled exists
        expiration expired expires expiry format invalid kind left len length limit method missing ms name policy
        present provider remaining required seconds sent size state status subject template total ttl type used valid
        verified version
        """
    )
)
# And one that begins with one of these: `max_tokens`, `has_password`.
_ASKING: Final = frozenset(
    _listed(
        """
        count has is max min needs no num number requires total
        """
    )
)
# Tokens that a language model reads or writes, not those that open doors.
_COUNTED: Final = frozenset({"inputtokens", "outputtokens", "prompttokens", "completiontokens", "cachedtokens"})

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MOST_NAMES: Final = 4096
_LONGEST_NAME: Final = 200


class SensitiveNames(dict[str, bool]):
    """Whether a field's value is hidden, by the field's name, in whatever way the words of the name are joined.

    A dict of the decisions so far, so that a further line costs a look-up; it is bounded.

    Args:
        more: Names hidden besides: as a whole name or as the last part of a dotted one.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        super().__init__()
        self._more = frozenset("".join(_words(name)) for name in more)

    def __missing__(self, name: str) -> bool:
        if len(self) >= _MOST_NAMES:
            # Names made up by a caller, such as ids as keys; the usual ones are soon there again.
            self.clear()
        decision = self._decide(name)
        if len(name) <= _LONGEST_NAME:
            self[name] = decision
        return decision

    def _decide(self, name: str) -> bool:
        # The last words say what a name means, so that a name of any length costs the same.
        words = _words(name[-_LONGEST_NAME:])
        if self._more and not self._more.isdisjoint(("".join(words), "".join(_words(name.rpartition(".")[2])))):
            return True
        letters = [word for word in words if not word.isdigit()]
        # A first name is no name of something secret.
        about = bool(words) and words[-1] in _ABOUT and "".join(letters[-2:]) not in _PERSONAL
        if not letters or about or (len(words) > 1 and words[0] in _ASKING):
            return False
        if len(letters) == 1 and letters[0] in _WHOLE:
            return True
        groups = {"".join(letters[at : at + size]) for size in (1, 2, 3) for at in range(len(letters) - size + 1)}
        if groups & _COUNTED:
            return False
        if any(group in _WORDS or group.removesuffix("s") in _WORDS or group.endswith(_ENDINGS) for group in groups):
            return True
        return any(
            word in {"address", "addresses"} and (at == 0 or letters[at - 1] not in _MACHINES)
            for at, word in enumerate(letters)
        )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]
