"""Whether OttO works on a site at all, and whether there is to be one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk import names
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.saying import Speaker, reason_of

if TYPE_CHECKING:
    from otto.model.history import AuditRecord
    from otto.ports import Store


@dataclass(frozen=True, slots=True)
class Suspend(Question[Heard]):
    """Leave a site alone until it is resumed.

    Attributes:
        site: its name.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "suspend"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Heard:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

        return await _wished(house, self, intents.suspend)


@dataclass(frozen=True, slots=True)
class Resume(Question[Heard]):
    """Take back a suspend or destroy; attributes as of `Suspend`."""

    word: ClassVar = "resume"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Heard:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

        return await _wished(house, self, intents.resume)


@dataclass(frozen=True, slots=True)
class Destroy(Question[Heard]):
    """Take sites down.

    Attributes:
        sites: their names.
        reason: why, in their words.
        by: the name that whoever says it gives, None for their own.
        teardown: whether they come back by themselves when a controller is started again.
    """

    word: ClassVar = "destroy"
    scope: ClassVar = Scope.ADMIN

    sites: tuple[str, ...]
    reason: str = ""
    by: str | None = None
    teardown: bool = False

    async def answer(self, house: House) -> Heard:
        """See `Question`.

        Raises:
            UsageError: one of them is unknown: then none is destroyed.
        """
        if not self.sites:
            raise UsageError("no site is named", mend="name one")
        who, why = house.speaker(self.by), reason_of(self.reason)
        async with house.store() as store:
            known = await names.names_in(store)
            for site in self.sites:
                names.require(site, known)
            await wish_gone(store, self.sites, who, why, teardown=self.teardown)
        return await house.due(self.sites)


async def _wished(
    house: House,
    wish: Suspend | Resume,
    intent: "Callable[[Store, str, Speaker, str], Awaitable[AuditRecord]]",
) -> Heard:
    """Record a wish about one site that is there, and have it looked at."""
    who, why = house.speaker(wish.by), reason_of(wish.reason)
    async with house.store() as store:
        await names.require_known(wish.site, store)
        await intent(store, wish.site, who, why)
    return await house.due([wish.site])


async def wish_gone(store: "Store", sites: Sequence[str], who: Speaker, note: str, *, teardown: bool) -> None:
    """Record that sites are to be destroyed: the next controller goes on, should this one be killed."""
    from otto.reconcile import intents  # noqa: PLC0415

    for site in sites:
        await intents.destroy(store, site, who, note, teardown=teardown)
