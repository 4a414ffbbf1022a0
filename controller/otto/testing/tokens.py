"""Tokens of the HTTP API, in memory."""

from dataclasses import replace
from datetime import datetime

from otto.decide import tokens as deciding
from otto.model.caller import Token
from otto.testing.failures import Failures


class MemoryTokens:
    """Port `Tokens` without a database. `failures` makes any of its methods raise."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self.failures = Failures()

    async def add(self, token: Token) -> None:
        """Keep a token."""
        self.failures.strike("add")
        known = tuple(self._tokens.values())
        deciding.require_free(token.name, known, token.made_at)
        for gone in deciding.long_gone(known, token.made_at):
            del self._tokens[gone.id]
        self._tokens[token.id] = token

    async def by_digest(self, digest: str) -> Token | None:
        """The token of that secret's digest."""
        self.failures.strike("by_digest")
        return next((token for token in self._tokens.values() if token.digest == digest), None)

    async def all(self) -> tuple[Token, ...]:
        """All of them, newest first."""
        self.failures.strike("all")
        return tuple(sorted(self._tokens.values(), key=lambda one: (one.made_at, one.id), reverse=True))

    async def revoke(self, token_id: str, at: datetime) -> bool:
        """Take a token back."""
        self.failures.strike("revoke")
        known = self._tokens.get(token_id)
        if known is None or not known.holds(at):
            return False
        self._tokens[token_id] = replace(known, revoked_at=at)
        return True

    async def used(self, token_id: str, at: datetime) -> None:
        """Say that it was used."""
        self.failures.strike("used")
        known = self._tokens.get(token_id)
        if known is not None and (known.used_at is None or known.used_at < at):
            self._tokens[token_id] = replace(known, used_at=at)
