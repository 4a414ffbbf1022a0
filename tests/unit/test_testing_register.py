"""Sites, listed, whichever store lists them: in memory or in a database."""

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.store import open_store
from otto.model.canonical import to_data
from otto.model.catalogue import RememberedSpec
from otto.model.history import AuditEntry
from otto.model.pipeline import Event, Pipeline, Trigger
from otto.model.register import Place, Selection
from otto.model.run import Outcome, Run
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.ports import Store
from otto.testing import FakeClock, MemoryStore, site_spec

AT = datetime(2026, 1, 2, tzinfo=UTC)
PROD = {"env": "prod"}
ANY = Selection()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with open_store(tmp_path / "otto.db", FakeClock()) as made:
        yield made


def remembered(site: str, labels: Mapping[str, str] = {}) -> RememberedSpec:
    return RememberedSpec(site_spec(site, labels=labels), "c" * 40)


def status(site: str, phase: Phase = Phase.READY, **more: object) -> SiteStatus:
    truth = Truth.TRUE if phase is Phase.READY else Truth.FALSE
    base = SiteStatus(site, phase, AT, provider="lab")
    made = base.with_condition(Condition(ConditionType.READY, truth, "", "", AT))
    return replace(made, **more)  # type: ignore[arg-type]


async def names(store: Store, selection: Selection = ANY, after: str = "", limit: int = 100) -> list[str]:
    return [item.site for item in await store.register.page(selection, after=after, limit=limit)]


async def test_a_page_goes_on_behind_the_last_name(store: Store) -> None:
    for site in ("b", "a-b", "ab", "c", "a"):
        await store.save_status(status(site))
    assert await names(store, limit=2) == ["a", "a-b"]
    await store.save_status(status("a0"))  # before the place where the next page begins
    assert await names(store, after="a-b", limit=2) == ["a0", "ab"]
    assert await names(store, after="ab") == ["b", "c"]
    assert await names(store, after="c") == []


async def test_a_site_that_nobody_looked_at_is_pending(store: Store) -> None:
    await store.remember([remembered("new", PROD), remembered("old")])
    await store.save_status(status("old"))
    assert await names(store) == ["new", "old"]
    assert await names(store, Selection(phases=frozenset({Phase.PENDING}))) == ["new"]
    sheet = (await store.register.sheets(["new"]))["new"]
    assert (sheet.status.phase, sheet.status.labels, sheet.status.commit) == (Phase.PENDING, PROD, "c" * 40)


async def test_sites_are_chosen_by_what_they_are(store: Store) -> None:
    await store.remember([remembered("a", {**PROD, "team": "web"}), remembered("b", PROD), remembered("c")])
    await store.save_status(status("a"))
    await store.save_status(status("b", Phase.DEGRADED))
    await store.save_status(status("c", Phase.DRIFTED, provider="hetzner"))
    assert await names(store, Selection(labels=PROD)) == ["a", "b"]
    assert await names(store, Selection(labels=PROD), after="a") == ["b"]
    assert await names(store, Selection(labels={**PROD, "team": "web"})) == ["a"]
    assert await names(store, Selection(labels={"env": "test"})) == []
    assert await names(store, Selection(phases=frozenset({Phase.DEGRADED, Phase.DRIFTED}))) == ["b", "c"]
    assert await names(store, Selection(ready=True)) == ["a"]
    assert await names(store, Selection(PROD, ready=False)) == ["b"]
    assert await names(store, Selection(provider="hetzner")) == ["c"]


async def test_zones_are_no_sites(store: Store) -> None:
    for site in ("acme", "acme.example"):
        await store.save_status(status(site))
    assert await names(store) == ["acme"]
    assert await names(store, Selection(domains=True)) == ["acme.example"]


async def test_labels_are_those_of_the_newest_spec(store: Store) -> None:
    await store.save_status(status("a", labels={"env": "test"}))
    assert (await _labels(store, "a")) == {"env": "test"}
    await store.remember([remembered("a", PROD)])
    await store.save_status(status("a", labels={"env": "test"}))  # what was under way ends
    assert (await _labels(store, "a")) == PROD
    assert await names(store, Selection(labels={"env": "test"})) == []
    await store.remember([remembered("a")])
    assert (await _labels(store, "a")) == {}
    assert await names(store, Selection(labels=PROD)) == []


async def _labels(store: Store, site: str) -> Mapping[str, str] | None:
    found = await store.register.listed(site)
    return found.labels if found else None


async def test_every_change_makes_another_version(store: Store) -> None:
    versions = [await _version(store)]
    await store.remember([remembered("a")])
    versions.append(await _version(store))
    await store.save_status(status("a"))
    versions.append(await _version(store))
    await store.set_intent("a", "suspend", on=True)
    versions.append(await _version(store))
    await store.set_intent("a", "suspend", on=False)
    versions.append(await _version(store))
    await store.save_status(status("b"))
    assert versions[0] is None
    assert len(set(versions)) == len(versions)
    assert await _version(store) == versions[-1]
    sheets = await store.register.sheets(["a", "b", "c"])
    assert sorted(sheets) == ["a", "b"]
    assert sheets["a"].version == versions[-1]


async def _version(store: Store, site: str = "a") -> int | None:
    found = await store.register.listed(site)
    return found.version if found else None


async def test_a_sheet_holds_status_and_what_people_want(store: Store) -> None:
    await store.save_status(status("a", message="well"))
    await store.set_intent("a", "suspend", on=True)
    await store.set_intent("a", "destroy", on=True)
    sheet = (await store.register.sheets(["a"]))["a"]
    assert (sheet.status.message, set(sheet.intents)) == ("well", {"suspend", "destroy"})


async def test_what_an_older_version_kept_is_told_as_this_one_would(tmp_path: Path) -> None:
    async with open_store(tmp_path / "otto.db", FakeClock()) as database:
        await database.save_status(status("a", message="well"))
        await database.save_status(status("b"))
        await database.save_status(status("c"))
        with sqlite3.connect(tmp_path / "otto.db") as raw:
            (kept,) = raw.execute("SELECT data FROM statuses WHERE site = 'a'").fetchone()
            older = {
                name: value for name, value in json.loads(kept).items() if name not in ("held", "rollout")
            }
            raw.execute("UPDATE statuses SET data = ? WHERE site = 'a'", (json.dumps(older),))
            raw.execute("UPDATE statuses SET data = '{' WHERE site = 'b'")
        raw.close()
        sheets = await database.register.sheets(["a", "b", "c"])
    assert sorted(sheets) == ["a", "c"]
    assert sheets["a"].data == to_data(status("a", message="well"))
    assert sheets["c"].data == to_data(status("c")) == to_data(sheets["c"].status)


async def test_a_forgotten_site_is_in_no_list(store: Store) -> None:
    await store.remember([remembered("a", PROD)])
    await store.save_status(status("a"))
    await store.forget("a")
    assert await names(store) == await names(store, Selection(labels=PROD)) == []
    assert await store.register.listed("a") is None


async def test_thousands_are_remembered_at_once_and_sheets_of_many_are_given_out(store: Store) -> None:
    sites = [f"s{number:04}" for number in range(1300)]
    await store.remember([remembered(site, {"n": site[-1]}) for site in sites])
    assert await names(store, limit=5000) == sites
    assert len(await names(store, Selection(labels={"n": "3"}), limit=5000)) == 130
    assert sorted(await store.register.sheets(sites)) == sites


def run(number: int, site: str, outcome: Outcome = Outcome.SUCCEEDED) -> Run:
    at = AT + timedelta(seconds=number // 2)  # two at a time
    return Run(f"{number:04}", site, "push", at, ended_at=at, outcome=outcome)


async def test_runs_go_on_behind_a_place(store: Store) -> None:
    for number in range(5):
        await store.save_run(run(number, "a" if number % 2 else "b", Outcome.FAILED))
    await store.save_run(run(9, "a"))
    first = await store.runs(limit=3)
    assert [item.id for item in first] == ["0009", "0004", "0003"]
    place = Place(first[-1].started_at, first[-1].id)
    assert [item.id for item in await store.runs(before=place)] == ["0002", "0001", "0000"]
    assert [item.id for item in await store.runs("b", before=place)] == ["0002", "0000"]
    assert [item.id for item in await store.runs("a", outcome=Outcome.FAILED)] == ["0003", "0001"]


async def test_runs_pipelines_and_records_of_sites_with_labels(store: Store) -> None:
    await store.remember([remembered("a", PROD), remembered("b")])
    for number, site in enumerate(("a", "b", "gone")):
        await store.save_run(run(number, site))
        event = Event(Trigger.API, AT)
        await store.pipelines.save(Pipeline(f"p{number}", site, event, AT + timedelta(seconds=number)))
        await store.ledger.append(AuditEntry(AT, "ada", "freeze", site))
    await store.ledger.append(AuditEntry(AT, "ada", "freeze"))
    assert [item.site for item in await store.runs(labels=PROD)] == ["a"]
    assert [item.site for item in await store.pipelines.pipelines(labels=PROD)] == ["a"]
    assert [item.entry.site for item in await store.ledger.latest(labels=PROD)] == ["a"]
    assert [item.site for item in await store.runs(labels={})] == ["b", "a"]
    assert [item.entry.site for item in await store.ledger.latest(labels={})] == ["b", "a"]
    assert await store.runs("b", labels=PROD) == ()


async def test_pipelines_and_records_go_on_behind_a_place(store: Store) -> None:
    for number in range(4):
        event = Event(Trigger.API, AT)
        await store.pipelines.save(Pipeline(f"p{number}", "a", event, AT + timedelta(seconds=number // 2)))
        await store.ledger.append(AuditEntry(AT, "ada", "freeze", "a" if number % 2 else "b"))
    first = await store.pipelines.pipelines(limit=1)
    rest = await store.pipelines.pipelines(before=Place(first[0].started_at, first[0].id))
    assert [item.id for item in (*first, *rest)] == ["p3", "p2", "p1", "p0"]
    assert [item.number for item in await store.ledger.latest(before=4, limit=2)] == [3, 2]
    assert [item.number for item in await store.ledger.latest(site="a", before=4)] == [2]


SITES = st.sampled_from(["a", "a-b", "ab", "b", "b-1", "c.example"])
LABELS = st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["x", "y"]), max_size=2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("spec"), SITES, LABELS),
        st.tuples(st.just("status"), SITES, st.sampled_from([Phase.READY, Phase.DEGRADED])),
        st.tuples(st.just("forget"), SITES, st.none()),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, LABELS, st.integers(1, 3))
async def test_pages_are_all_of_it_in_order_in_any_store(
    tmp_path: Path, steps: list[tuple[str, str, object]], labels: dict[str, str], size: int
) -> None:
    async with open_store(tmp_path / "otto.db", FakeClock()) as database:
        stores: tuple[Store, ...] = (MemoryStore(), database)
        for site in ("a", "a-b", "ab", "b", "b-1", "c.example"):
            await database.forget(site)
        for one in stores:
            for step in steps:
                await _take(one, step)
        for selection in (ANY, Selection(labels), Selection(phases=frozenset({Phase.READY}))):
            whole = await names(stores[0], selection)
            assert [await _paged(one, selection, size) for one in stores] == [whole, whole]


async def _take(store: Store, step: tuple[str, str, object]) -> None:
    what, site, value = step
    if what == "spec":
        await store.remember([remembered(site, value)])  # type: ignore[arg-type]
    elif what == "status":
        await store.save_status(status(site, value))  # type: ignore[arg-type]
    else:
        await store.forget(site)


async def _paged(store: Store, selection: Selection, size: int) -> list[str]:
    found: list[str] = []
    while page := await names(store, selection, after=found[-1] if found else "", limit=size):
        found += page
    return found
