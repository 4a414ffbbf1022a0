"""Tokens of the HTTP API: made, listed, taken back."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from otto.decide import tokens
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope, Token, TokenWish
from otto.model.canonical import Data, to_data
from otto.model.saying import reason_of

_ID_BYTES = 6
_FAR = 100 * 366 * 86_400.0  # seconds: any longer time is refused as well, and fits into no date


@dataclass(frozen=True, slots=True)
class Known:
    """A token as people see it: nothing of its secret, not even the digest.

    Attributes:
        id: names it.
        name: whose it is.
        scope: what it lets do, as a word.
        labels: what it is limited to; empty for everything.
        made_at: when.
        made_by: who made it.
        expires_at: from when on it does not count.
        revoked_at: from when on it was taken back, None while it was not.
        used_at: when it was used last, to within minutes; None before the first time.
        holds: whether it counts now.
    """

    id: str
    name: str
    scope: str
    labels: Mapping[str, str]
    made_at: datetime
    made_by: str
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    holds: bool

    @staticmethod
    def of(token: Token, now: datetime) -> "Known":
        """What people see of a token."""
        return Known(
            id=token.id,
            name=token.name,
            scope=token.scope.word,
            labels=token.labels,
            made_at=token.made_at,
            made_by=token.made_by,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            used_at=token.used_at,
            holds=token.holds(now),
        )


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token, and its secret, which is told this once."""

    token: Known
    secret: str = field(repr=False)


def new_token_document(made: NewToken, file: str | None) -> dict[str, Data]:
    """What `otto token create --json` prints; the secret only where no file has it."""
    return {"token": to_data(made.token), "secret": None if file else made.secret, "file": file}


@dataclass(frozen=True, slots=True)
class SeeTokens(Question[tuple[Known, ...]]):
    """All tokens, newest first; those that ended lately, too."""

    word: ClassVar = "tokens"
    scope: ClassVar = Scope.ADMIN

    async def answer(self, house: House) -> tuple[Known, ...]:
        """See `Question`."""
        house.require_all("see tokens")
        async with house.store() as store:
            return tuple(Known.of(token, house.now()) for token in await store.tokens.all())


@dataclass(frozen=True, slots=True)
class CreateToken(Question[NewToken]):
    """Make a token.

    Attributes:
        name: whose it is to be.
        scope_word: what it is to let do, as a word.
        labels: what it is to be limited to, as `KEY=VALUE`.
        seconds: how long it is to hold, None for as long as is usual.
        reason: why, in their words.
        by: the name that whoever makes it gives, None for their own.
    """

    word: ClassVar = "token-create"
    scope: ClassVar = Scope.ADMIN

    name: str
    scope_word: str
    labels: tuple[str, ...] = ()
    seconds: float | None = None
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> NewToken:
        """See `Question`.

        Raises:
            UsageError: the name is taken, or one of the others will not do.
        """
        house.require_all("make tokens")
        who, why, lives = house.speaker(self.by), reason_of(self.reason), house.lives
        seconds = None if self.seconds is None else max(-_FAR, min(self.seconds, _FAR))
        lasting = lives.usual if seconds is None else timedelta(seconds=seconds)
        wish = TokenWish(self.name, tokens.scope_of(self.scope_word), tokens.labels_of(self.labels), lasting)
        secret = tokens.secret_of(secrets.token_bytes(tokens.ENTROPY))
        token = tokens.issue(wish, secrets.token_hex(_ID_BYTES), secret, who, longest=lives.longest)
        async with house.store() as store:
            tokens.require_free(token.name, await store.tokens.all(), who.at)
            # What allows more is on record before it counts.
            await store.ledger.append(tokens.issued(token, who, why))
            await store.tokens.add(token)
        return NewToken(Known.of(token, who.at), secret)


@dataclass(frozen=True, slots=True)
class RevokeToken(Question[Known]):
    """Take a token back: it does not count any more.

    Attributes:
        token: its id, the first digits of it, or the name of one that holds.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "token-revoke"
    scope: ClassVar = Scope.ADMIN

    token: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Known:
        """See `Question`.

        Raises:
            UsageError: there is none, or it does not count any more.
        """
        house.require_all("take tokens back")
        who, why = house.speaker(self.by), reason_of(self.reason)
        async with house.store() as store:
            token = tokens.chosen(self.token, await store.tokens.all(), who.at)
            # What allows less counts at once.
            await store.tokens.revoke(token.id, who.at)
            await store.ledger.append(tokens.revoked(token, who, why))
            known = await store.tokens.by_digest(token.digest)
        return Known.of(known or token, who.at)
