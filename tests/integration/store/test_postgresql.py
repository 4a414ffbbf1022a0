"""Store and ledger over PostgreSQL do what they do anywhere."""

import asyncio
import inspect
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy import inspect as look_at
from sqlalchemy.exc import DBAPIError
from tests.integration.store.test_migrations import config
from tests.unit import test_testing_imageindex as of_an_index
from tests.unit import test_testing_ledger as of_a_ledger
from tests.unit import test_testing_pipelines as of_records
from tests.unit import test_testing_register as of_a_register
from tests.unit import test_testing_store as of_a_store
from tests.unit import test_testing_tokens as of_tokens

from otto.adapters.store import SqlStore, open_store, schema
from otto.decide import audit
from otto.model.history import AuditEntry, GrantKind
from otto.testing import START, FakeClock

Behaviour = Callable[..., Coroutine[Any, Any, None]]
Make = Callable[..., SqlStore]


def behaviours(module: object, argument: str) -> list[Behaviour]:
    """Tests that say what any implementation does, and take it as their one argument."""
    return [one for one in of_any(module, argument) if inspect.iscoroutinefunction(one)]


def properties(module: object, argument: str) -> dict[str, Behaviour]:
    """Of those, the ones that are given generated values as well: name -> what is done with each."""
    return {
        one.__name__: one.hypothesis.inner_test
        for one in of_any(module, argument)
        if inspect.iscoroutinefunction(getattr(getattr(one, "hypothesis", None), "inner_test", None))
    }


def of_any(module: object, argument: str) -> list[Any]:
    found = [value for name, value in vars(module).items() if name.startswith("test_")]
    return [one for one in found if [*inspect.signature(one).parameters] == [argument]]


@pytest.fixture
async def make(new_database: Callable[[], str]) -> AsyncIterator[Make]:
    url = new_database()
    async with AsyncExitStack() as opened:

        def one(keep_runs: int = 200) -> SqlStore:
            store = open_store(url, FakeClock(), keep_runs=keep_runs)
            opened.push_async_callback(store.close)
            return store

        yield one


@pytest.mark.parametrize("behaviour", behaviours(of_a_ledger, "ledger"), ids=lambda one: one.__name__)
async def test_ledger(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make().ledger)


@pytest.mark.parametrize("behaviour", behaviours(of_an_index, "index"), ids=lambda one: one.__name__)
async def test_index_of_images(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make().images)


@pytest.mark.parametrize("behaviour", behaviours(of_a_store, "store"), ids=lambda one: one.__name__)
async def test_store(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make())


@pytest.mark.parametrize("behaviour", behaviours(of_a_register, "store"), ids=lambda one: one.__name__)
async def test_register(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make())


@pytest.mark.parametrize("behaviour", behaviours(of_a_store, "make"), ids=lambda one: one.__name__)
async def test_made_store(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make)


@pytest.mark.parametrize("behaviour", behaviours(of_records, "records"), ids=lambda one: one.__name__)
async def test_records(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make().pipelines)


@pytest.mark.parametrize("behaviour", behaviours(of_records, "make_records"), ids=lambda one: one.__name__)
async def test_made_records(behaviour: Behaviour, make: Make) -> None:
    await behaviour(lambda keep: make(keep_runs=keep).pipelines)


@pytest.mark.parametrize("behaviour", behaviours(of_tokens, "tokens"), ids=lambda one: one.__name__)
async def test_tokens(behaviour: Behaviour, make: Make) -> None:
    await behaviour(make().tokens)


# Found before they are run: pytest-asyncio puts something else in their place then.
OF_A_LEDGER, OF_A_STORE = properties(of_a_ledger, "ledger"), properties(of_a_store, "store")
# PostgreSQL's text holds anything but NUL.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
in_one_database = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def store(make: Make) -> SqlStore:
    return make()


@in_one_database
@given(WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=3), st.datetimes(timezones=st.just(UTC)))
async def test_any_text_is_recorded_as_it_is(
    store: SqlStore, summary: str, reason: str, detail: dict[str, str], at: datetime
) -> None:
    await OF_A_LEDGER["test_any_text_is_recorded_as_it_is"](store.ledger, summary, reason, detail, at)


@in_one_database
@given(WORDS, WORDS)
async def test_any_text_is_kept_as_it_is(store: SqlStore, key: str, value: str) -> None:
    await OF_A_STORE["test_any_text_is_kept_as_it_is"](store, key, value)


def test_the_behaviours_were_found() -> None:
    assert [*OF_A_LEDGER] == ["test_any_text_is_recorded_as_it_is"]
    assert [*OF_A_STORE] == ["test_any_text_is_kept_as_it_is"]
    assert properties(of_a_store, "make") == {}
    assert len(behaviours(of_a_ledger, "ledger")) > 10
    assert len(behaviours(of_a_store, "store")) > 5
    assert len(behaviours(of_a_store, "make")) > 0
    assert len(behaviours(of_a_register, "store")) > 5
    assert len(behaviours(of_records, "records")) > 2
    assert len(behaviours(of_records, "make_records")) > 0


def test_several_processes_open_a_new_store_and_append_to_one_chain(new_database: Callable[[], str]) -> None:
    url = new_database()
    body = """
        import asyncio, sys
        from otto.adapters.clock import SystemClock
        from otto.adapters.store import open_store
        from otto.model.history import AuditEntry

        async def main():
            async with open_store(sys.argv[1], SystemClock()) as store:
                for number in range(40):
                    await store.ledger.append(AuditEntry(SystemClock().now(), sys.argv[2], "verdict"))
        asyncio.run(main())
    """
    started = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(body), url, name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()

    async def look() -> tuple[int, str]:
        async with open_store(url, FakeClock()) as store:
            records = await store.ledger.records()
            return len(records), audit.broken(records)

    assert asyncio.run(look()) == (120, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET hash = 'x'",
        "DELETE FROM audit WHERE number = 1",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT 9, at, site, data, before, hash FROM audit",
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (number) DO UPDATE SET hash = 'x'",
    ],
)
async def test_the_database_refuses_to_change_the_record(
    new_database: Callable[[], str], statement: str
) -> None:
    url = new_database()
    engine = create_engine(url)
    async with open_store(url, FakeClock()) as store:
        await store.ledger.append(AuditEntry(START, "ann", "thaw"))
        with pytest.raises(DBAPIError, match="audit record"), engine.begin() as connection:
            connection.execute(text(statement))
        assert audit.broken(await store.ledger.records()) == ""
    engine.dispose()


async def test_migrations_lead_there_with_what_was_kept_and_back(new_database: Callable[[], str]) -> None:
    url = new_database()
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        connection.execute(text("INSERT INTO approvals VALUES ('acme', 'p', 'ann', 0)"))
    async with open_store(url, FakeClock()) as store:
        (grant,) = await store.ledger.grants()
        assert (grant.kind, grant.site, grant.plan, grant.by) == (GrantKind.APPROVE, "acme", "p", "ann")
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    with engine.begin() as connection:
        command.downgrade(config(connection), "base")
    assert look_at(engine).get_table_names() == ["alembic_version"]
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with engine.begin() as connection:
        assert connection.execute(text(functions)).all() == []
    engine.dispose()
