"""Tokens of the HTTP API: how a secret is written, and which tokens there may be.

A secret is `otto_`, 43 digits of base 62 that hold 256 random bits, and 6 more that check them. The check
tells a token that was cut off or mistyped from one that is unknown, before anything is looked up, and lets
scanners for leaked secrets find one without false alarms. What is kept is SHA-256 of the secret: nobody
guesses 256 random bits, so that a slow hash, as passwords need, would only slow every request down.
"""

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from otto.model.caller import Scope, Token, TokenWish
from otto.model.errors import UsageError
from otto.model.history import OTTO, AuditEntry
from otto.model.saying import Speaker, name_of

_TAKEN = frozenset({"local", "api", "unknown"})
_NAME_IT = "take the name of who will use it"
PREFIX = "otto_"
ENTROPY = 32
"""Bytes of chance in a secret."""
LONG_AGO = timedelta(days=400)
"""A token that ended before that is dropped from the list; the audit record keeps it."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 43, 6
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
_ID = re.compile(r"[0-9a-f]{4,40}")
_KEY = re.compile(r"(?!otto\.)[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_MOST_LABELS = 20
_SHOWN = 5


def secret_of(entropy: bytes) -> str:
    """A secret out of 32 random bytes.

    Raises:
        ValueError: there are not as many.
    """
    if len(entropy) != ENTROPY:
        raise ValueError(f"a secret is made of {ENTROPY} random bytes")
    body = PREFIX + _digits(int.from_bytes(entropy), _RANDOM)
    return body + _check(body)


def is_whole(secret: str) -> bool:
    """Whether a text can be a secret of ours: nothing of it is missing or mistyped."""
    return _SHAPE.fullmatch(secret) is not None and _check(secret[:-_CHECK]) == secret[-_CHECK:]


def digest_of(secret: str) -> str:
    """What is kept of a secret: SHA-256, as 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def scope_of(word: str) -> Scope:
    """A scope by its word.

    Raises:
        UsageError: there is none of that word.
    """
    for scope in Scope:
        if scope.word == word.strip().lower():
            return scope
    words = ", ".join(scope.word for scope in Scope)
    raise UsageError(
        f"there is no scope {word[:40]!r}", mend=f"one of {words}; each includes those before it"
    )


def labels_of(pairs: Iterable[str]) -> Mapping[str, str]:
    """Labels out of `KEY=VALUE`.

    Raises:
        UsageError: one is not written so, or no site can have it.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            mend = "write it as KEY=VALUE, as a spec's labels have them: team=web"
            raise UsageError(f"{pair[:80]!r} is no label", mend=mend)
        if labels.get(key, value) != value:
            raise UsageError(f"label {key} is given twice", mend="a site has one value of a label")
        labels[key] = value
    if len(labels) > _MOST_LABELS:
        raise UsageError(f"{len(labels)} labels are given", mend=f"give up to {_MOST_LABELS}")
    return labels


def issue(wish: TokenWish, token_id: str, secret: str, speaker: Speaker, *, longest: timedelta) -> Token:
    """A new token.

    Args:
        wish: what is wanted.
        token_id: its id, that of no other.
        secret: its secret.
        speaker: who makes it.
        longest: how long it may hold.

    Raises:
        UsageError: the name will not do, or it would hold too long or not at all.
    """
    if wish.lasting <= timedelta():
        raise UsageError("the token would be expired already", mend="give a longer time: --expires 30d")
    if wish.lasting > longest:
        days = longest.total_seconds() / 86_400
        mend = "give a shorter time, or raise the setting api.tokenMaxDays"
        raise UsageError(f"a token holds for at most {days:g} days here", mend=mend)
    return Token(
        id=token_id,
        name=_name(wish.name),
        scope=wish.scope,
        digest=digest_of(secret),
        made_at=speaker.at,
        expires_at=speaker.at + wish.lasting,
        labels=wish.labels,
        made_by=speaker.name,
    )


def _name(text: str) -> str:
    name = name_of(text)
    # As people read it: letters of other widths and cases make no other name.
    plain = unicodedata.normalize("NFKC", name).casefold()
    if plain == OTTO:
        raise UsageError(f"{name!r} is what OttO calls itself in the audit record", mend=_NAME_IT)
    if plain in _TAKEN:
        raise UsageError(f"{name!r} is who has no token, in the audit record", mend=_NAME_IT)
    return name


def require_free(name: str, known: Iterable[Token], now: datetime) -> None:
    """Insist that no token of a name holds.

    Raises:
        UsageError: one does.
    """
    for token in known:
        if token.name == name and token.holds(now):
            mend = f"take another name, or take that one back: otto token revoke {token.id}"
            raise UsageError(f"there is a token {name!r} already, {token.id}", mend=mend)


def long_gone(known: Iterable[Token], now: datetime) -> tuple[Token, ...]:
    """Tokens that ended so long ago that nobody asks for them any more."""
    return tuple(token for token in known if token.ended_at < now - LONG_AGO)


def chosen(text: str, known: Sequence[Token], now: datetime) -> Token:
    """The token a person means by an id, its first digits, or the name of one that holds.

    Raises:
        UsageError: there is none, there are several, or it does not hold any more.
    """
    exact = [token for token in known if token.id == text or (token.name == text and token.holds(now))]
    digits = text.strip().lower()
    found = exact or [token for token in known if _ID.fullmatch(digits) and token.id.startswith(digits)]
    if len(found) == 1:
        if not found[0].holds(now):
            how = "revoked" if found[0].revoked_at else "expired"
            raise UsageError(
                f"token {found[0].id} ({found[0].name}) is {how} already", mend="otto token list"
            )
        return found[0]
    if not found:
        raise UsageError(
            f"there is no token {text[:80]!r}", mend="otto token list shows them, with their ids"
        )
    ids = ", ".join(token.id for token in found[:_SHOWN])
    raise UsageError(f"{text[:80]!r} fits {len(found)} tokens", mend=f"give the id: {ids}")


def issued(token: Token, speaker: Speaker, note: str = "") -> AuditEntry:
    """The audit record's word on a new token."""
    limits = limited(token.labels)
    until = token.expires_at.strftime("%Y-%m-%d %H:%M UTC")
    summary = f"token {token.id} of {token.name}: {token.scope.word}{limits}, until {until}"
    return _entry("token-create", token, speaker, summary, note)


def revoked(token: Token, speaker: Speaker, note: str = "") -> AuditEntry:
    """The audit record's word on a token that is taken back."""
    return _entry(
        "token-revoke", token, speaker, f"token {token.id} of {token.name} does not count any more", note
    )


def limited(labels: Mapping[str, str]) -> str:
    """To which sites labels limit a token, in words; "" for all."""
    return (
        f", sites with {' '.join(f'{key}={value}' for key, value in sorted(labels.items()))}"
        if labels
        else ""
    )


def _entry(what: str, token: Token, speaker: Speaker, summary: str, note: str) -> AuditEntry:
    detail = {"as": speaker.account, "token": token.id}
    return AuditEntry(speaker.at, speaker.name, what, summary=summary, reason=note, detail=detail)


def _digits(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def _check(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), _CHECK)
