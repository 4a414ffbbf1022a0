"""More life for a site, or more time for changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.saying import Said, speak
from otto.model.caller import Scope
from otto.model.duration import in_words
from otto.model.errors import UsageError
from otto.model.saying import Saying, Speaker, reason_of

if TYPE_CHECKING:
    from otto.ports import Store


@dataclass(frozen=True, slots=True)
class Extend(Question[Said]):
    """The end of a site is put off.

    Attributes:
        site: its name.
        seconds: by how much from the end it has now, unless `until` is given.
        until: the new end instead.
        reason: why, in their words.
        by: the name that whoever says it gives, None for their own.
    """

    word: ClassVar = "extend"
    scope: ClassVar = Scope.ADMIN

    site: str
    seconds: float = 0.0
    until: datetime | None = None
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, it has no end, or the new one is not later.
        """
        why = reason_of(self.reason)

        async def extended(store: "Store", speaker: Speaker) -> Saying:
            from otto.decide import leeway, moments  # noqa: PLC0415  (not for --help)
            from otto.desk import lifetimes  # noqa: PLC0415

            if self.until is None and self.seconds <= 0:
                raise UsageError("the life would be no longer", mend="give a longer time")
            end = await lifetimes.end_of(store, self.site, await house.fleet_policy(), speaker.at)
            if end is None:
                raise leeway.endless(self.site)
            new = self.until or moments.after(end, self.seconds, in_words(self.seconds))
            return leeway.extend(self.site, end, new, speaker, why)

        return await speak(house, self.site, self.by, extended)


@dataclass(frozen=True, slots=True)
class Override(Question[Said]):
    """A site may change outside its windows for a while.

    Attributes:
        site: its name.
        seconds: for how long.
        reason: why; it has to be given.
        by: the name that whoever says it gives, None for their own.
    """

    word: ClassVar = "override"
    scope: ClassVar = Scope.ADMIN

    site: str
    seconds: float
    reason: str
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or it would be for more than ten years.
        """
        why = reason_of(self.reason, needed=True)

        async def overridden(_: "Store", speaker: Speaker) -> Saying:
            from otto.decide import leeway, moments  # noqa: PLC0415

            if self.seconds <= 0:
                raise UsageError("the override would be over already", mend="give a longer time")
            until = moments.after(speaker.at, self.seconds, in_words(self.seconds))
            return leeway.override(self.site, until, speaker, why)

        return await speak(house, self.site, self.by, overridden)
