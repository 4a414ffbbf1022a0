"""Hosts that no spec and no state owns: listed, and removed when named."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.host import LiveHost
from otto.model.saying import reason_of
from otto.reconcile.strays import Strays

if TYPE_CHECKING:
    from otto.desk.seen import Around
    from otto.reconcile.kit import Kit

_MOST = 100


@dataclass(frozen=True, slots=True)
class SeeOrphans(Question[Strays]):
    """Hosts under OttO's labels that are nobody's, from a fresh look."""

    word: ClassVar = "orphans"
    scope: ClassVar = Scope.READ
    patience: ClassVar = 60.0

    async def answer(self, house: House) -> Strays:
        """See `Question`."""
        house.require_store()
        around = await house.around()

        async def look(kit: "Kit") -> Strays:
            return await _look(kit, around, house.labels)

        return await house.with_kit(look, self.patience)


@dataclass(frozen=True, slots=True)
class Reaped:
    """Orphans that were removed, and those that are left."""

    left: Strays
    gone: tuple[LiveHost, ...]


@dataclass(frozen=True, slots=True)
class Reap(Question[Reaped]):
    """Remove orphans, for good: all of those that are named, or none when one is no orphan.

    Attributes:
        items: names or ids.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "reap"
    scope: ClassVar = Scope.ADMIN
    patience: ClassVar = 300.0

    items: tuple[str, ...]
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Reaped:
        """See `Question`.

        Raises:
            UsageError: one of them is no orphan.
            TerminalError: one could not be removed.
        """
        if not 0 < len(self.items) <= _MOST:
            raise UsageError(f"{len(self.items)} orphans are named", mend=f"name 1 to {_MOST}")
        house.require_store()
        who, why = house.speaker(self.by), reason_of(self.reason)
        around = await house.around()

        async def reap(kit: "Kit") -> Reaped:
            from otto.desk import reaping  # noqa: PLC0415  (imports the loop)

            found = await _look(kit, around, house.labels)
            chosen = found.chosen(self.items)
            await reaping.reap(kit, chosen, who, why, around)
            return Reaped(found.without(chosen), chosen)

        return await house.with_kit(reap, self.patience)


async def _look(kit: "Kit", around: "Around", labels: Mapping[str, str]) -> Strays:
    """What is nobody's; for who is limited by labels, of the sites they see."""
    from otto.desk.limited import LimitedStore  # noqa: PLC0415  (only on the server)
    from otto.reconcile import strays  # noqa: PLC0415  (imports the loop)

    found = await strays.look(kit, at_work=around.anybody)
    if not labels:
        return found
    names = await LimitedStore(kit.store, labels).names()
    kept = tuple(host for host in found.orphans if host.site in names)
    return replace(
        found, orphans=kept, unjudged={site: why for site, why in found.unjudged.items() if site in names}
    )
