"""What a ledger does, whichever it is: in memory or in a database."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.store import open_store
from otto.decide import audit
from otto.model.errors import TransientError
from otto.model.history import AuditEntry, Charge, Grant, GrantKind, Removal
from otto.model.plan import ActionKind
from otto.ports import Ledger
from otto.testing import START, FakeClock, MemoryLedger

AT = START + timedelta(seconds=5, microseconds=678901)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    async with AsyncExitStack() as opened:
        if request.param == "memory":
            yield MemoryLedger()
        else:
            yield (await opened.enter_async_context(open_store(tmp_path / "otto.db", FakeClock()))).ledger


def entry(number: int, site: str = "acme", detail: Mapping[str, str] | None = None) -> AuditEntry:
    at = AT + timedelta(seconds=number)
    return AuditEntry(
        at, "somebody", "approve", site, "p" * 64, f"number {number}", "it is due", detail or {}
    )


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def approval(plan: str, by: str = "ann", site: str = "acme", at: datetime = AT) -> Grant:
    return Grant(GrantKind.APPROVE, site, by, at, at + timedelta(hours=24), "it is fine", plan)


async def test_a_new_ledger_holds_nothing(ledger: Ledger) -> None:
    assert await ledger.records() == ()
    assert await ledger.latest() == ()
    assert await ledger.grants() == ()
    assert await ledger.removals(START) == ()
    assert await ledger.charges(START) == ()
    assert not await ledger.revoke(approval("p"))
    await ledger.removed([])


async def test_records_follow_each_other_without_gaps(ledger: Ledger) -> None:
    made = [await ledger.append(entry(number, detail={"host": "acme-web-1"})) for number in range(5)]
    assert await ledger.records() == tuple(made)
    assert [record.number for record in made] == [1, 2, 3, 4, 5]
    assert [record.entry for record in made] == [entry(n, detail={"host": "acme-web-1"}) for n in range(5)]
    assert audit.broken(await ledger.records()) == ""


async def test_appending_at_once_makes_one_chain(ledger: Ledger) -> None:
    made = await asyncio.gather(*(ledger.append(entry(number)) for number in range(30)))
    records = await ledger.records()
    assert sorted(made, key=lambda record: record.number) == list(records)
    assert (len(records), audit.broken(records)) == (30, "")


async def test_the_record_is_read_in_stretches(ledger: Ledger) -> None:
    for number in range(7):
        await ledger.append(entry(number, "acme" if number % 2 else "shop"))
    last, seen = None, 0
    while stretch := await ledger.records(after=seen, limit=3):
        assert len(stretch) <= 3
        assert audit.broken(stretch, last) == ""
        last, seen = stretch[-1], stretch[-1].number
    assert seen == 7


async def test_records_of_one_site(ledger: Ledger) -> None:
    for number, site in enumerate(("acme", "", "shop", "acme")):
        await ledger.append(entry(number, site))
    assert [record.number for record in await ledger.records(site="acme")] == [1, 4]
    assert [record.number for record in await ledger.records(site="acme", after=1)] == [4]
    assert [record.number for record in await ledger.records(site="")] == [2]
    assert await ledger.records(site="nobody") == ()


async def test_the_latest_records_come_newest_first(ledger: Ledger) -> None:
    for number in range(6):
        await ledger.append(entry(number, "acme" if number % 2 else "shop"))
    assert [record.number for record in await ledger.latest()] == [6, 5, 4, 3, 2, 1]
    assert [record.number for record in await ledger.latest(limit=2)] == [6, 5]
    assert [record.number for record in await ledger.latest(site="acme", limit=2)] == [6, 4]
    assert [record.number for record in await ledger.latest(since=later(4))] == [6, 5]
    assert await ledger.latest(since=later(6)) == ()


async def test_a_time_of_another_zone_is_the_same_time(ledger: Ledger) -> None:
    at = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    await ledger.append(AuditEntry(at, "somebody", "thaw"))
    (record,) = await ledger.records()
    assert record.entry.at == AT
    assert audit.broken([record]) == ""


async def test_a_grant_replaces_what_its_speaker_said_before(ledger: Ledger) -> None:
    await ledger.grant(approval("p1"))
    await ledger.grant(approval("p1", at=later(9)))
    assert await ledger.grants() == (approval("p1", at=later(9)),)
    await ledger.grant(approval("p1", by="bob"))
    await ledger.grant(approval("p2"))
    assert {(grant.plan, grant.by) for grant in await ledger.grants()} == {
        ("p1", "ann"),
        ("p1", "bob"),
        ("p2", "ann"),
    }


async def test_all_of_a_grant_comes_back(ledger: Ledger) -> None:
    whole = Grant(GrantKind.FREEZE, "", "otto", AT, None, 'wrong "branch"?\n', "", "source", ("acme", "shop"))
    await ledger.grant(whole)
    assert await ledger.grants() == (whole,)


async def test_grants_of_a_site_are_its_own_and_those_of_all_oldest_first(ledger: Ledger) -> None:
    freeze = Grant(GrantKind.FREEZE, "", "otto", later(1))
    extend = Grant(GrantKind.EXTEND, "acme", "ann", later(2), later(99))
    for grant in (extend, approval("p", site="shop"), freeze, approval("p")):
        await ledger.grant(grant)
    assert await ledger.grants(site="acme") == (approval("p"), freeze, extend)
    assert await ledger.grants(site="acme", kind=GrantKind.EXTEND) == (extend,)
    assert await ledger.grants(kind=GrantKind.APPROVE) == (approval("p"), approval("p", site="shop"))
    assert await ledger.grants(site="nobody") == (freeze,)
    assert await ledger.grants(site="") == (freeze,)


async def test_a_grant_that_ended_is_still_told_of(ledger: Ledger) -> None:
    ended = approval("p", at=AT - timedelta(days=3))
    await ledger.grant(ended)
    await ledger.grant(approval("q"))
    assert await ledger.grants() == (ended, approval("q"))


async def test_a_grant_is_taken_back(ledger: Ledger) -> None:
    await ledger.grant(approval("p"))
    await ledger.grant(approval("q"))
    assert not await ledger.revoke(approval("p", by="bob"))
    assert await ledger.revoke(approval("p"))
    assert not await ledger.revoke(approval("p"))
    assert await ledger.grants() == (approval("q"),)


async def test_removals_come_back_oldest_first(ledger: Ledger) -> None:
    removals = [
        Removal("acme", f"acme-web-{n}", ActionKind.REPLACE, later(n), 1.0 + n / 10) for n in range(4)
    ]
    await ledger.removed([removals[3], removals[1]])
    await ledger.removed([removals[0], removals[2]])
    assert await ledger.removals(AT) == tuple(removals)
    assert await ledger.removals(later(2)) == tuple(removals[2:])


async def test_one_host_may_be_taken_away_again_and_again(ledger: Ledger) -> None:
    for seconds in (1, 2):
        await ledger.removed([Removal("acme", "acme-web-1", ActionKind.REPLACE, later(seconds))])
    assert len(await ledger.removals(AT)) == 2


async def test_a_charge_that_is_the_same_as_before_adds_nothing(ledger: Ledger) -> None:
    for seconds, hourly in ((0, 1.5), (1, 1.5), (2, None), (3, None), (4, 1.5), (5, 0.0)):
        await ledger.charge(Charge("acme", later(seconds), hourly))
    assert await ledger.charges(AT) == tuple(
        Charge("acme", later(seconds), hourly)
        for seconds, hourly in ((0, 1.5), (2, None), (4, 1.5), (5, 0.0))
    )


async def test_charges_begin_with_what_held_before(ledger: Ledger) -> None:
    for seconds, site in enumerate(("shop", "acme", "shop", "acme", "new")):
        await ledger.charge(Charge(site, later(seconds), float(seconds)))
    assert await ledger.charges(later(3)) == (
        Charge("acme", later(1), 1.0),
        Charge("shop", later(2), 2.0),
        Charge("acme", later(3), 3.0),
        Charge("new", later(4), 4.0),
    )


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=3), st.datetimes(timezones=st.just(UTC)))
async def test_any_text_is_recorded_as_it_is(
    ledger: Ledger, summary: str, reason: str, detail: dict[str, str], at: datetime
) -> None:
    made = await ledger.append(AuditEntry(at, "x", "y", "acme", "", summary, reason, detail))
    (kept,) = await ledger.records(after=made.number - 1)
    assert kept == made
    assert (kept.entry.summary, kept.entry.reason, kept.entry.detail) == (summary, reason, detail)
    assert audit.broken(await ledger.records()) == ""


async def test_failures_of_the_ledger_in_memory_are_ordered_in_advance() -> None:
    ledger = MemoryLedger()
    ledger.failures.next("append", TransientError("full"))
    with pytest.raises(TransientError, match="full"):
        await ledger.append(entry(1))
    await ledger.append(entry(2))
    assert [record.number for record in ledger.log] == [1]
