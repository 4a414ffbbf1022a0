"""Whether anything may be taken away at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.saying import Said, speak
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.history import Grant
from otto.model.saying import Saying, Speaker, reason_of

if TYPE_CHECKING:
    from otto.ports import Store


@dataclass(frozen=True, slots=True)
class Freeze(Question[Said]):
    """Nothing is taken away any more.

    Attributes:
        reason: why; it has to be given.
        site: of this site alone; "" for all.
        until: when it ends by itself, None for never.
        by: the name that whoever says it gives, None for their own.
    """

    word: ClassVar = "freeze"
    scope: ClassVar = Scope.OPERATE

    reason: str
    site: str = ""
    until: datetime | None = None
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or what is in force lasts longer.
        """
        why = reason_of(self.reason, needed=True)

        async def frozen(store: "Store", speaker: Speaker) -> Saying:
            from otto.decide import freezing  # noqa: PLC0415  (not for --help)

            if self.until is not None and self.until <= speaker.at:
                raise UsageError("the end of the freeze is past", mend="give a later time")
            return freezing.freeze(self.site, self.until, await store.ledger.grants(), speaker, why)

        return await speak(house, self.site, self.by, frozen)


@dataclass(frozen=True, slots=True)
class SeeFreezesOfOtto(Question[tuple[Grant, ...]]):
    """Of the freezes that a thaw would take back, those that OttO set itself; "" for that of all sites."""

    word: ClassVar = "freezes-of-otto"
    scope: ClassVar = Scope.READ

    site: str = ""

    async def answer(self, house: House) -> tuple[Grant, ...]:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or no such freeze.
        """
        from otto.decide import freezing  # noqa: PLC0415

        async with house.store() as store:
            if self.site:
                await names.require_known(self.site, store)
            nobody = house.speaker(None)
            return freezing.of_otto(freezing.thaw(self.site, await store.ledger.grants(), nobody, "").taken)


@dataclass(frozen=True, slots=True)
class Thaw(Question[Said]):
    """A freeze is taken back.

    Attributes:
        site: that of this site alone; "" for that of all.
        reason: why, in their words.
        by: the name that whoever says it gives, None for their own.
        agreed: the freezes of OttO's own that they know of; None when they need not know.
    """

    word: ClassVar = "thaw"
    scope: ClassVar = Scope.ADMIN

    site: str = ""
    reason: str = ""
    by: str | None = None
    agreed: tuple[Grant, ...] | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site or freeze, or others than they know of.
        """
        why = reason_of(self.reason)

        async def thawed(store: "Store", speaker: Speaker) -> Saying:
            from otto.decide import freezing  # noqa: PLC0415

            saying = freezing.thaw(self.site, await store.ledger.grants(), speaker, why)
            if self.agreed is not None and freezing.of_otto(saying.taken) != self.agreed:
                raise UsageError(
                    "nothing was thawed: the repository lost more meanwhile", mend="say it again"
                )
            return saying

        return await speak(house, self.site, self.by, thawed)
