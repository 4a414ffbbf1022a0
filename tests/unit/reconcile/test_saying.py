"""A word in force and on record, and what is left of it when it is cut off in between."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from otto.decide import freezing, leeway
from otto.model.errors import TransientError
from otto.model.history import Grant, GrantKind
from otto.model.saying import Saying, Speaker
from otto.reconcile.saying import say
from otto.testing import START
from otto.testing.ledger import MemoryLedger

ANN = Speaker("ann", START, "root")


@dataclass
class Case:
    saying: Saying
    before: tuple[Grant, ...] = ()


def frozen() -> Case:
    return Case(freezing.freeze("acme", None, (), ANN, "sale"))


def thawed() -> Case:
    freeze = Grant(GrantKind.FREEZE, "acme", "bob", START, reason="sale")
    return Case(freezing.thaw("acme", [freeze], ANN, "sold out"), (freeze,))


def overridden() -> Case:
    return Case(leeway.override("acme", START.replace(year=2027), ANN, "fire"))


async def ledger_of(case: Case) -> MemoryLedger:
    ledger = MemoryLedger()
    for grant in case.before:
        await ledger.grant(grant)
    return ledger


@pytest.mark.parametrize("make", [frozen, thawed, overridden])
async def test_it_is_in_force_and_on_record(make: Callable[[], Case]) -> None:
    case = make()
    ledger = await ledger_of(case)
    record = await say(ledger, case.saying)
    assert ledger.log == [record]
    assert record.entry == case.saying.entry
    assert await ledger.grants() == tuple(grant for grant in (case.saying.given,) if grant)


@pytest.mark.parametrize("make", [thawed, overridden])
async def test_what_allows_more_is_never_in_force_without_a_record(make: Callable[[], Case]) -> None:
    case = make()
    ledger = await ledger_of(case)
    ledger.failures.next("append", TransientError("the disk is full"))
    with pytest.raises(TransientError):
        await say(ledger, case.saying)
    assert await ledger.grants() == case.before


async def test_what_allows_less_is_in_force_even_without_a_record() -> None:
    case = frozen()
    ledger = await ledger_of(case)
    ledger.failures.next("append", TransientError("the disk is full"))
    with pytest.raises(TransientError):
        await say(ledger, case.saying)
    assert await ledger.grants() == (case.saying.given,)
