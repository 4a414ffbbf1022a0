"""Documents as they may be shown: a secret that somebody wrote into one by mistake is not in it.

No good document holds one: secrets are references there. A bad one that was pushed is shown all the same, to
whoever may read, and what git has of it by then is no reason to hand it out.
"""

import re
from typing import Any

from otto.decide.references import is_reference
from otto.model.document import Data

WITHHELD = "a value that is not shown here"
"""Stands for a secret. It is no reference: a document sent back with it is refused."""

_PRIVATE = frozenset({"credentials", "key", "passphrase", "password", "secret", "token"})
# User information of an address (RFC 3986, section 3.2.1), but a lone user's name, as in ssh://git@host.
_USER = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]*(?=@)|(?<=https://)[^\s/@]+(?=@)")


def shown(data: Data) -> Data:
    """A document without secrets; itself where it has none."""
    spec = data.get("spec")
    plain = _plain(spec)
    return data if plain == spec else {**data, "spec": plain}


def _plain(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, dict):
        return {name: WITHHELD if _is_secret(name, item) else _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _USER.sub("***", value) if isinstance(value, str) and "://" in value else value


def _is_secret(name: object, value: object) -> bool:
    private = isinstance(name, str) and name.lower() in _PRIVATE
    return private and value is not None and not (isinstance(value, str) and is_reference(value))
