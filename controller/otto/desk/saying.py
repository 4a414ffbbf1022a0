"""What people say to the guard."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk import names
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.history import AuditRecord, Grant
from otto.model.saying import Saying, Speaker
from otto.model.status import Phase

if TYPE_CHECKING:
    from otto.ports import Store

    Say = Callable[[Store, Speaker], Awaitable[Saying]]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, its place in the audit record, and whether a controller heard of it."""

    saying: Saying
    record: AuditRecord
    heard: Heard


async def speak(house: House, site: str, by: str | None, say: "Say") -> Said:
    """Say something of a site, or of all: it is in force and on record when this returns.

    Args:
        house: where.
        site: which; "" for all.
        by: the name that whoever speaks gives, None for their own.
        say: finds what the word is; raises when it cannot be said.

    Raises:
        UsageError: the site is unknown, or it cannot be said; nothing was changed.
    """
    from otto.reconcile.saying import say as put_in_force  # noqa: PLC0415  (not for --help)

    who = house.speaker(by)
    if not site:
        house.require_all("speak of all sites")
    async with house.store() as store:
        if site:
            await names.require_known(site, store)
        saying = await say(store, who)
        record = await put_in_force(store.ledger, saying)
        waiting = [site] if site else await _held_sites(store)
    return Said(saying, record, await house.due(waiting))


async def _held_sites(store: "Store") -> list[str]:
    """Sites that the guard holds up."""
    return [
        status.site
        for status in await store.statuses()
        if status.held or status.phase is Phase.AWAITING_APPROVAL
    ]


@dataclass(frozen=True, slots=True)
class SeeGrants(Question[tuple[Grant, ...]]):
    """What people said and still holds: of a site, with what concerns all of them; or everything."""

    word: ClassVar = "grants"
    scope: ClassVar = Scope.READ

    site: str | None = None

    async def answer(self, house: House) -> tuple[Grant, ...]:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        now = house.now()
        async with house.store() as store:
            if self.site is not None:
                await names.require_known(self.site, store)
            return tuple(grant for grant in await store.ledger.grants(site=self.site) if grant.holds(now))
