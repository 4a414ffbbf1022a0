"""The ways people are told."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk.house import House, Way
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.history import AuditEntry


@dataclass(frozen=True, slots=True)
class SeeWays(Question[tuple[Way, ...]]):
    """The ways people are told, by name."""

    word: ClassVar = "ways"
    scope: ClassVar = Scope.READ

    async def answer(self, house: House) -> tuple[Way, ...]:
        """See `Question`.

        Raises:
            UsageError: there is none.
        """
        return await house.ways(tried=False)


@dataclass(frozen=True, slots=True)
class TryWays(Question[tuple[Way, ...]]):
    """Send a test notice on every way; how each did."""

    word: ClassVar = "ways-try"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = 60.0

    async def answer(self, house: House) -> tuple[Way, ...]:
        """See `Question`.

        Raises:
            UsageError: there is none.
        """
        house.require_all("send test notices")
        await house.ways(tried=False)  # nobody is told: nothing to record
        who = house.speaker(None)
        if house.has_store:
            entry = AuditEntry(
                who.at, who.name, "notify", summary="otto notify --test", detail={"as": who.account}
            )
            async with house.store() as store:
                await store.ledger.append(entry)
        return await house.ways(tried=True)
