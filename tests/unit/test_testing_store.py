"""What a store does, whichever it is: in memory or in a database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.store import open_store
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.errors import TransientError
from otto.model.history import Grant, GrantKind
from otto.model.host import Endpoint, Host, HostFacts
from otto.model.observed import Applied, CheckFailure
from otto.model.run import Outcome, Run, StepRecord
from otto.model.spec import Algorithm, Content, HostGroup, Provider, Role, SiteSpec
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.zonememory import DesiredZone, ZoneMemory
from otto.ports import Store
from otto.testing import FakeClock, MemoryStore

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class ClosingStore(Store, Protocol):
    async def close(self) -> None: ...


Make = Callable[..., ClosingStore]


def memory(folder: Path, *, keep_runs: int = 200) -> ClosingStore:
    return MemoryStore(keep_runs=keep_runs)


def sqlite(folder: Path, *, keep_runs: int = 200) -> ClosingStore:
    return open_store(folder / "otto.db", FakeClock(), keep_runs=keep_runs)


@pytest.fixture(params=[memory, sqlite])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    async with AsyncExitStack() as opened:

        def one(keep_runs: int = 200) -> ClosingStore:
            made: ClosingStore = request.param(tmp_path, keep_runs=keep_runs)
            opened.push_async_callback(made.close)
            return made

        yield one


@pytest.fixture
def store(make: Make) -> Store:
    return make()


def status(site: str, message: str = "") -> SiteStatus:
    ready = Condition(ConditionType.READY, Truth.TRUE, "Serving", "all of it", AT, "d")
    host = Host(f"{site}-web-1", Role.WEB, "1", "10.0.0.1", "10.0.0.1", 22, "otto", 80, "ssh-ed25519 AAAA")
    base = SiteStatus(site, Phase.READY, AT, endpoints=(Endpoint("a", 80, "http://a"),), hosts=(host,))
    return replace(base.with_condition(ready), message=message, next_look=AT)


def run(number: int, site: str = "acme", *, ended: bool = True) -> Run:
    at = AT + timedelta(seconds=number)
    step = StepRecord("plan", at, at, Outcome.SUCCEEDED, ("acme-web-1",), "2 to add", {"actions": [{"a": 1}]})
    ended_at, outcome = (at, Outcome.SUCCEEDED) if ended else (None, Outcome.RUNNING)
    return Run(f"{number:04}", site, "push", at, ended_at=ended_at, outcome=outcome, steps=(step,))


def spec(site: str, count: int = 2) -> RememberedSpec:
    group = HostGroup(count, "small", "nginx")
    made = SiteSpec(site, Provider.LAB, group, group, Algorithm.ROUNDROBIN, Content("sites/acme"), {"a": "b"})
    return RememberedSpec(made, "c" * 40)


async def test_a_new_store_holds_nothing(store: Store) -> None:
    assert await store.status("acme") is None
    assert await store.statuses() == ()
    assert await store.run("1") is None
    assert await store.runs() == ()
    assert await store.open_runs() == ()
    assert await store.applied("acme") == Applied()
    assert await store.remembered() == {}
    assert await store.intents("acme") == frozenset()
    assert await store.value("commit") is None
    await store.forget("acme")


async def test_statuses_come_back_by_name_the_newest_of_each(store: Store) -> None:
    for site in ("b", "a", "ä", "B"):
        await store.save_status(status(site))
    await store.save_status(status("a", "again"))
    assert await store.statuses() == tuple(
        status(s, "again" if s == "a" else "") for s in ("B", "a", "b", "ä")
    )
    assert await store.status("b") == status("b")


async def test_runs_come_newest_first(store: Store) -> None:
    for number in (2, 1, 3):
        await store.save_run(run(number))
    await store.save_run(run(4, "other"))
    assert [one.id for one in await store.runs()] == ["0004", "0003", "0002", "0001"]
    assert [one.id for one in await store.runs("acme")] == ["0003", "0002", "0001"]
    assert [one.id for one in await store.runs("acme", limit=1)] == ["0003"]
    assert await store.run("0002") == run(2)


async def test_a_run_is_replaced_by_what_became_of_it(store: Store) -> None:
    await store.save_run(run(1, ended=False))
    await store.save_run(run(2, ended=False))
    assert [one.id for one in await store.open_runs()] == ["0002", "0001"]
    await store.save_run(run(1))
    assert await store.open_runs() == (run(2, ended=False),)
    assert await store.run("0001") == run(1)


async def test_history_is_kept_to_so_many_ended_runs_of_each_site(make: Make) -> None:
    store = make(keep_runs=3)
    await store.save_run(run(0, ended=False))
    for number in range(1, 7):
        await store.save_run(run(number))
        await store.save_run(run(100 + number, "other"))
    assert [one.id for one in await store.runs("acme")] == ["0006", "0005", "0004", "0000"]
    assert [one.id for one in await store.runs("other")] == ["0106", "0105", "0104"]


async def test_what_was_applied(store: Store) -> None:
    facts = HostFacts("f", {"/etc/nginx/nginx.conf": None}, {"nginx": "active"}, "c", "r", "x", {"w": "UP"})
    applied = Applied("i", {"web": "small"}, {"acme-web-1": facts}, "v")
    await store.save_applied("acme", Applied("old"))
    await store.save_applied("acme", applied)
    assert await store.applied("acme") == applied
    assert await store.applied("other") == Applied()


async def test_last_good_specs(store: Store) -> None:
    await store.remember([])
    await store.remember([spec("b"), spec("a")])
    await store.remember([spec("a", 5)])
    assert await store.remembered() == {"a": spec("a", 5), "b": spec("b")}
    assert list(await store.remembered()) == ["a", "b"]


async def test_wishes_are_recorded_and_taken_back(store: Store) -> None:
    for _ in range(2):
        await store.set_intent("acme", "suspend", on=True)
        await store.set_intent("acme", "destroy", on=True)
    assert await store.intents("acme") == {"suspend", "destroy"}
    for _ in range(2):
        await store.set_intent("acme", "suspend", on=False)
    assert await store.intents("acme") == {"destroy"}
    assert await store.intents("other") == frozenset()


async def test_small_values(store: Store) -> None:
    await store.set_value("commit", "a")
    await store.set_value("commit", "b")
    assert await store.value("commit") == "b"


async def test_a_forgotten_site_leaves_its_history(store: Store) -> None:
    for site in ("acme", "other"):
        await store.save_status(status(site))
        await store.save_applied(site, Applied("i"))
        await store.remember([spec(site)])
        await store.set_intent(site, "destroy", on=True)
        await store.ledger.grant(Grant(GrantKind.APPROVE, site, "somebody", AT, plan="p"))
        await store.save_run(run(1 if site == "acme" else 2, site))
    await store.forget("acme")
    assert await store.status("acme") is None
    assert await store.applied("acme") == Applied()
    assert list(await store.remembered()) == ["other"]
    assert await store.intents("acme") == frozenset()
    assert [one.site for one in await store.ledger.grants()] == ["other"]
    assert [one.id for one in await store.runs("acme")] == ["0001"]
    assert await store.status("other") == status("other")


async def test_a_thread_may_read_by_itself(store: Store) -> None:
    await store.save_status(status("a"))
    await store.save_run(run(1, "a"))

    async def look() -> tuple[object, ...]:
        store.read_here()
        return await store.status("a"), await store.runs("a", 5), await store.register.listed("b")

    assert await asyncio.to_thread(lambda: asyncio.run(look())) == (status("a"), (run(1, "a"),), None)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
async def test_any_text_is_kept_as_it_is(store: Store, key: str, value: str) -> None:
    await store.set_value(key, value)
    assert await store.value(key) == value


async def test_failures_of_the_store_in_memory_are_ordered_in_advance() -> None:
    store = MemoryStore()
    store.failures.next("save_status", TransientError("full"), times=2)
    store.failures.always("value", TransientError("away"))
    for _ in range(2):
        with pytest.raises(TransientError, match="full"):
            await store.save_status(status("acme"))
        with pytest.raises(TransientError, match="away"):
            await store.value("commit")
    await store.save_status(status("acme"))
    store.failures.stop("value")
    assert await store.value("commit") is None
    assert store.failures.count("save_status") == 3


# zones


def _zone(name: str = "example.org") -> RememberedDomain:
    record = Record("www", RecordType.A, site="acme", place=3)
    return RememberedDomain(DomainSpec(name, records=(record,), file="specs/z.yaml", line=4), "c0ffee")


async def test_zones_lie_beside_sites_and_are_not_mixed_up(store: Store) -> None:
    site = spec("acme")
    await store.remember([site])
    await store.remember_domains([_zone(), _zone("a.example")])
    assert await store.remembered() == {"acme": site}
    assert await store.remembered_domains() == {"a.example": _zone("a.example"), "example.org": _zone()}
    assert (await store.remembered_domains())["example.org"].spec.records[0].place == 3


async def test_what_is_remembered_of_a_zone(store: Store) -> None:
    known = _zone()
    failure = CheckFailure("www.example.org A", "ns1", "www.example.org A at ns1", "192.0.2.1", "NXDOMAIN")
    wish = DesiredZone(known.spec, known.commit, {"acme": ("192.0.2.1",)}, "d1")
    memory = ZoneMemory("example.org", wish, 2026010101, AT, settled=True, checked="d1", failures=(failure,))
    await store.save_applied("acme", Applied(verified="d0"))
    await store.save_zone(memory)
    assert await store.zones() == {"example.org": memory}
    assert (await store.applied("acme")).verified == "d0"
    await store.save_zone(replace(memory, serial=None))
    assert (await store.zones())["example.org"].serial is None


async def test_a_zone_that_is_forgotten(store: Store) -> None:
    await store.remember_domains([_zone()])
    await store.save_zone(ZoneMemory("example.org"))
    await store.forget("example.org")
    assert not await store.zones()
    assert not await store.remembered_domains()
