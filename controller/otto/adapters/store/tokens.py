"""Port `Tokens` over a database."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Select, select

from otto.adapters.store import schema, writing
from otto.adapters.store.database import Database, decoded
from otto.decide import tokens as deciding
from otto.model.caller import Token
from otto.model.canonical import canonical

_TABLE = schema.tokens


class SqlTokens:
    """Tokens of the HTTP API, in the store's database.

    All methods raise what `otto.adapters.store.errors.translated` does.

    Args:
        database: the store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: Token) -> None:
        """Keep a token; those that ended long ago are dropped with it.

        Raises:
            UsageError: another one of its name holds.
        """

        def keep(connection: Connection) -> None:
            writing.take_turn(connection)  # of two that ask for one name at a time, one is refused
            known = decoded(Token, connection.execute(_all()).all())
            deciding.require_free(token.name, known, token.made_at)
            gone = deciding.long_gone(known, token.made_at)
            writing.drop(connection, _TABLE, [{"id": one.id} for one in gone])
            writing.put(connection, _TABLE, [_row(token)])

        await self._database.write(keep)

    async def by_digest(self, digest: str) -> Token | None:
        """The token of that secret's digest."""
        found = await self._database.few_values(Token, _all().where(_TABLE.c.digest == digest))
        return found[0] if found else None

    async def all(self) -> tuple[Token, ...]:
        """All of them, newest first."""
        return await self._database.values(Token, _all())

    async def revoke(self, token_id: str, at: datetime) -> bool:
        """Take a token back; whether there was one that held."""

        def take_back(connection: Connection) -> bool:
            known = _known(connection, token_id)
            if known is None or not known.holds(at):
                return False
            writing.put(connection, _TABLE, [_row(replace(known, revoked_at=at))])
            return True

        return await self._database.write(take_back)

    async def used(self, token_id: str, at: datetime) -> None:
        """Say that it was used."""

        def mark(connection: Connection) -> None:
            known = _known(connection, token_id)
            if known is not None and (known.used_at is None or known.used_at < at):
                writing.put(connection, _TABLE, [_row(replace(known, used_at=at))])

        await self._database.write(mark)


def _all() -> Select[str, str]:
    return select(_TABLE.c.id, _TABLE.c.data).order_by(_TABLE.c.made_at.desc(), _TABLE.c.id.desc())


def _known(connection: Connection, token_id: str) -> Token | None:
    """The token as it is kept; nobody changes it before this transaction's end."""
    writing.take_turn(connection)
    found = decoded(Token, connection.execute(_all().where(_TABLE.c.id == token_id)).all())
    return found[0] if found else None


def _row(token: Token) -> writing.Row:
    return {
        "id": token.id,
        "digest": token.digest,
        "made_at": schema.microseconds(token.made_at),
        "data": canonical(token),
    }
