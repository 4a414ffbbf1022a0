"""The quick look reads what the store wrote, and knows when to leave it to the store."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from otto.adapters.store import SqlStore, open_store
from otto.adapters.store.schema import HEAD
from otto.cli.glance import REVISION, Glance, glance
from otto.model.catalogue import RememberedSpec
from otto.model.history import Grant, GrantKind
from otto.model.run import Run
from otto.model.status import Phase, SiteStatus
from otto.testing import START, FakeClock, World, site_spec


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "otto.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(path, FakeClock()) as store:
        world = World()
        world.push(site_spec(labels={"team": "web"}), site_spec("shop"))
        commit = await world.source.fetch()
        for name in ("acme", "shop"):
            await store.remember([RememberedSpec(site_spec(name), commit or "")])
        await store.set_intent("acme", "suspend", on=True)
        await store.set_value("source", '{"commit": "1"}')
        await store.save_status(SiteStatus("acme", Phase.PLANNING, START))
        for number, site in enumerate(("acme", "shop", "acme")):
            await store.save_run(Run(f"r{number}", site, "push", START + timedelta(seconds=number)))
        for number, site in enumerate(("", "shop", "acme")):
            at = START + timedelta(seconds=number)
            await store.ledger.grant(Grant(GrantKind.FREEZE, site, "somebody", at))
            await store.ledger.grant(Grant(GrantKind.APPROVE, site, "somebody", at, plan="p" * 64))
        yield store


def test_it_knows_the_stores_newest_revision() -> None:
    assert REVISION == HEAD, "read the migration: does cli/glance.py still fit? Then raise REVISION"


async def test_it_reads_what_the_store_reads(store: SqlStore, path: Path) -> None:
    async with glance(path) as seen:
        assert isinstance(seen, Glance)
        assert await seen.statuses() == await store.statuses()
        assert await seen.remembered() == await store.remembered()
        for site in ("acme", "shop", "nobody"):
            assert await seen.intents(site) == await store.intents(site)
            assert await seen.status(site) == await store.status(site)
            assert await seen.runs(site) == await store.runs(site)
            for kind in (None, GrantKind.APPROVE):
                said = await store.ledger.grants(site=site, kind=kind)
                assert await seen.ledger.grants(site=site, kind=kind) == said != ()
        assert await seen.ledger.grants() == await store.ledger.grants()
        assert [run.id for run in await seen.runs(limit=2)] == ["r2", "r1"]
        assert await seen.runs(limit=2) == await store.runs(limit=2)
        for key in ("source", "nothing"):
            assert await seen.value(key) == await store.value(key)


async def test_it_sees_what_is_written_later(store: SqlStore, path: Path) -> None:
    async with glance(path) as seen:
        assert seen
        assert (await seen.status("shop"), len(await seen.runs())) == (None, 3)
        assert await seen.statuses() is await seen.statuses()
        await store.save_status(SiteStatus("shop", Phase.READY, START))
        await store.save_run(Run("r9", "shop", "push", START))
        assert await seen.status("shop") == await store.status("shop")
        assert await seen.runs() == await store.runs()


async def test_a_run_that_cannot_be_read_counts_as_not_there(store: SqlStore, path: Path) -> None:
    await store.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE runs SET data = '{}' WHERE id = 'r1'")
    connection.close()
    async with glance(path) as seen:
        assert seen
        assert [run.id for run in await seen.runs()] == ["r2", "r0"]


async def test_a_grant_that_cannot_be_read_counts_as_not_there(store: SqlStore, path: Path) -> None:
    await store.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE grants SET data = '{}' WHERE site = ''")
    connection.close()
    async with glance(path) as seen:
        assert seen
        assert {grant.site for grant in await seen.ledger.grants()} == {"shop", "acme"}


async def test_it_cannot_write(store: SqlStore, path: Path) -> None:
    async with glance(path) as seen:
        assert seen
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            seen._connection.execute("DELETE FROM remembered")


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "DROP TABLE statuses",
        "UPDATE remembered SET data = 'no json'",
        "UPDATE remembered SET data = '{}'",
    ],
)
async def test_what_it_does_not_know_it_leaves_to_the_store(store: SqlStore, path: Path, harm: str) -> None:
    await store.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(harm)
    connection.close()
    async with glance(path) as seen:
        assert seen is None


@pytest.mark.parametrize("content", [b"", b"not a database at all, but some text of some length" * 100])
async def test_what_is_no_store(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    async with glance(path) as seen:
        assert seen is None


async def test_what_is_not_there(path: Path) -> None:
    async with glance(path) as seen:
        assert seen is None
    assert not path.exists()
