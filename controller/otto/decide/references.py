"""Reading references to secrets: `env:NAME`, `file:PATH`, `vault:PATH#KEY`."""

import fnmatch
import re
from collections.abc import Iterable

from otto.model.errors import UsageError
from otto.model.secret import SecretPlace, SecretReference

HOW = "write it as env:NAME, file:PATH or vault:PATH#KEY"
LONGEST = 1024

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}(\.[A-Za-z0-9_-]{1,100}){0,9}")


def parse(text: str, what: str) -> SecretReference:
    """The reference that a text is.

    Args:
        text: the text. It may be a secret that somebody put there by mistake: it is never repeated.
        what: what it is the value of, for the error: `spec.server.key`.

    Raises:
        UsageError: it is none.
    """
    place, colon, rest = text.partition(":")
    if not colon or place not in set(SecretPlace) or len(text) > LONGEST or not rest.isprintable():
        raise UsageError(f"{what} is no reference to a secret", mend=HOW)
    name, hash_sign, key = rest.partition("#") if place == SecretPlace.VAULT else (rest, "", "")
    if place == SecretPlace.ENV and not _VARIABLE.fullmatch(name):
        raise UsageError(f"{what} names no variable", mend=HOW)
    if not name.strip() or name != name.strip():
        raise UsageError(f"{what} names no file", mend=HOW)
    if hash_sign and not _KEY.fullmatch(key):
        raise UsageError(f"{what} names no entry of a vault", mend="as in vault:dns.yml#keys.example")
    return SecretReference(SecretPlace(place), name, key)


def is_reference(text: str) -> bool:
    """Whether a text is a reference."""
    try:
        parse(text, "")
    except UsageError:
        return False
    return True


def may_be_named(variable: str, patterns: Iterable[str]) -> bool:
    """Whether specs may refer to a variable: those of the controller are not all theirs.

    Args:
        variable: its name.
        patterns: names with `*` for anything.
    """
    return any(fnmatch.fnmatchcase(variable, pattern) for pattern in patterns)
