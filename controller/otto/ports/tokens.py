"""Tokens of the HTTP API, kept."""

from datetime import datetime
from typing import Protocol

from otto.model.caller import Token


class Tokens(Protocol):
    """Tokens, without their secrets."""

    async def add(self, token: Token) -> None:
        """Keep a token. Those that ended long ago (`otto.decide.tokens.LONG_AGO`) are dropped with it.

        Raises:
            UsageError: another one of its name holds when it was made.
        """

    async def by_digest(self, digest: str) -> Token | None:
        """The token of that secret's digest."""

    async def all(self) -> tuple[Token, ...]:
        """All of them, revoked and expired ones too, newest first."""

    async def revoke(self, token_id: str, at: datetime) -> bool:
        """Take a token back; whether there was one that held."""

    async def used(self, token_id: str, at: datetime) -> None:
        """Say that it was used; never earlier than was said before. An unknown one is left alone."""
