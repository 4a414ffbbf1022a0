"""What a keeper of tokens does, whichever it is: in memory or in a database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from otto.adapters.store import open_store
from otto.decide.tokens import LONG_AGO
from otto.model.caller import Scope, Token
from otto.model.errors import UsageError
from otto.ports.tokens import Tokens
from otto.testing import START, FakeClock, MemoryTokens

AT = START + timedelta(microseconds=123_457)


@pytest.fixture(params=["memory", "sqlite"])
async def tokens(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Tokens]:
    if request.param == "memory":
        yield MemoryTokens()
        return
    async with open_store(tmp_path / "otto.db", FakeClock()) as store:
        yield store.tokens


def token(number: int, name: str = "ci", **changes: object) -> Token:
    at = AT + timedelta(minutes=number)
    made = Token(
        id=f"{number:012x}",
        name=name,
        scope=Scope.OPERATE,
        digest=f"{number:064x}",
        made_at=at,
        expires_at=at + timedelta(days=90),
        labels={"team": "web"},
        made_by="ann\n\u202e",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_token_is_found_by_the_digest_of_its_secret_as_it_was_added(tokens: Tokens) -> None:
    await tokens.add(token(1))
    assert await tokens.by_digest(f"{1:064x}") == token(1)
    assert await tokens.by_digest(f"{2:064x}") is None


async def test_they_come_newest_first(tokens: Tokens) -> None:
    assert await tokens.all() == ()
    await tokens.add(token(2, "b"))
    await tokens.add(token(1, "a"))
    await tokens.add(token(3, "c"))
    assert [one.name for one in await tokens.all()] == ["c", "b", "a"]


async def test_a_name_is_free_again_when_its_token_ended(tokens: Tokens) -> None:
    first = token(1)
    await tokens.add(first)
    with pytest.raises(UsageError, match="there is a token 'ci' already"):
        await tokens.add(token(2))
    assert await tokens.revoke(first.id, AT + timedelta(minutes=1, seconds=1))
    await tokens.add(token(2))
    at = token(2).expires_at
    await tokens.add(token(3, made_at=at, expires_at=at + timedelta(days=1)))
    assert len(await tokens.all()) == 3


async def test_a_token_is_revoked_once(tokens: Tokens) -> None:
    await tokens.add(token(1))
    later = AT + timedelta(hours=1)
    assert await tokens.revoke(token(1).id, later)
    assert not await tokens.revoke(token(1).id, later + timedelta(hours=1))
    found = await tokens.by_digest(token(1).digest)
    assert found is not None
    assert found.revoked_at == later
    assert not found.holds(later)


async def test_an_expired_or_unknown_token_cannot_be_revoked(tokens: Tokens) -> None:
    await tokens.add(token(1))
    assert not await tokens.revoke(token(1).id, token(1).expires_at)
    assert not await tokens.revoke("nobody", AT)


async def test_use_is_marked_and_never_goes_back(tokens: Tokens) -> None:
    await tokens.add(token(1))
    later = AT + timedelta(hours=1)
    await tokens.used(token(1).id, later)
    await tokens.used(token(1).id, AT)
    await tokens.used("nobody", later)
    assert [one.used_at for one in await tokens.all()] == [later]


async def test_use_and_revocation_keep_each_other(tokens: Tokens) -> None:
    await tokens.add(token(1))
    later = AT + timedelta(hours=1)
    await tokens.used(token(1).id, later)
    await tokens.revoke(token(1).id, later)
    await tokens.used(token(1).id, later + timedelta(seconds=1))
    (found,) = await tokens.all()
    assert (found.revoked_at, found.used_at) == (later, later + timedelta(seconds=1))


async def test_what_ended_long_ago_goes_when_another_is_added(tokens: Tokens) -> None:
    await tokens.add(token(1, "old"))
    kept = token(1).expires_at + LONG_AGO
    await tokens.add(token(2, "new", made_at=kept, expires_at=kept + timedelta(days=1)))
    assert [one.name for one in await tokens.all()] == ["new", "old"]
    later = kept + timedelta(seconds=1)
    await tokens.add(token(3, "newest", made_at=later, expires_at=later + timedelta(days=1)))
    assert [one.name for one in await tokens.all()] == ["newest", "new"]
