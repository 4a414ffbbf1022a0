"""Who asks through the HTTP API, and what they may."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum


class Scope(IntEnum):
    """What a token lets do; each includes those before it."""

    READ = 1  # see
    OPERATE = 2  # have sites looked at, suspend, resume, approve, reject, roll out
    WRITE = 3  # commit specs
    ADMIN = 4  # tokens, destroying, grants that loosen the guard

    @property
    def word(self) -> str:
        """As it is written: `read`, `operate`, `write`, `admin`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: of the token's holder; author of the commits made for them.
        scope: what they may.
        labels: they see and touch what has all of these labels; empty for everything.
        token: id of the token, "" on a loopback address without one.
        address: where they ask from, for the audit record.
    """

    name: str
    scope: Scope
    labels: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    address: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether they may do what needs this scope."""
        return self.scope >= scope

    def sees(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is theirs to see and touch."""
        return self.labels.items() <= labels.items()


@dataclass(frozen=True, slots=True)
class TokenWish:
    """A token somebody wants.

    Attributes:
        name: whose it is to be.
        scope: what it is to let do.
        labels: what it is to be limited to; empty for everything.
        lasting: how long it is to hold.
    """

    name: str
    scope: Scope
    labels: Mapping[str, str]
    lasting: timedelta


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: never its secret.

    Attributes:
        id: names it in lists, logs and the audit record; no secret.
        name: whose it is.
        scope: what it lets do.
        labels: what it is limited to; empty for everything.
        digest: of its secret.
        made_at: when.
        made_by: who made it.
        expires_at: from when on it does not count.
        revoked_at: from when on it was taken back, None while it holds.
        used_at: when it was used last, to within minutes; None before the first time.
    """

    id: str
    name: str
    scope: Scope
    digest: str
    made_at: datetime
    expires_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    made_by: str = ""
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it counts."""
        return self.revoked_at is None and now < self.expires_at

    @property
    def ended_at(self) -> datetime:
        """From when on it does not count, as far as is known now."""
        return min(filter(None, (self.revoked_at, self.expires_at)))
