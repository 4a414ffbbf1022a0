"""A change on its way to running servers: seen, stopped, taken back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.saying import Said, speak
from otto.model.caller import Scope
from otto.model.history import Grant, GrantKind
from otto.model.rollout import RolloutStatus
from otto.model.saying import Saying, Speaker, reason_of

if TYPE_CHECKING:
    from otto.ports import Store

_KINDS = frozenset({GrantKind.PAUSE, GrantKind.QUARANTINE})


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout, and what people and OttO said of the site's rollouts that still holds."""

    status: RolloutStatus
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class SeeRollout(Question[Rollout]):
    """How a site's last rollout stands."""

    word: ClassVar = "rollout"
    scope: ClassVar = Scope.READ

    site: str

    async def answer(self, house: House) -> Rollout:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        now = house.now()
        async with house.store() as store:
            await names.require_known(self.site, store)
            grants = await store.ledger.grants(site=self.site)
            status = await store.rollout(self.site)
        return Rollout(status, tuple(item for item in grants if item.kind in _KINDS and item.holds(now)))


@dataclass(frozen=True, slots=True)
class PauseRollout(Question[Said]):
    """Stop before the next batch.

    Attributes:
        site: its name.
        reason: why, in their words.
        by: the name that whoever says it gives, None for their own.
    """

    word: ClassVar = "rollout-pause"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or it is paused already.
        """
        why = reason_of(self.reason)

        async def paused(store: "Store", who: Speaker) -> Saying:
            from otto.decide import steering  # noqa: PLC0415  (not for --help)

            return steering.pause(self.site, await store.ledger.grants(site=self.site), who, why)

        return await speak(house, self.site, self.by, paused)


@dataclass(frozen=True, slots=True)
class ResumeRollout(Question[Said]):
    """Go on with what was paused; or, where nothing is paused, try again what is quarantined now.

    Attributes:
        site: which.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
        everything: whether every pause and every quarantine is taken back, those of older wishes too.
    """

    word: ClassVar = "rollout-resume"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None
    everything: bool = False

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or nothing is paused or quarantined.
        """
        why = reason_of(self.reason)

        async def resumed(store: "Store", who: Speaker) -> Saying:
            from otto.decide import steering  # noqa: PLC0415

            known, applied = await store.rollout(self.site), await store.applied(self.site)
            grants = await store.ledger.grants(site=self.site)
            return steering.resume(
                self.site, known, applied, grants, who, reason=why, everything=self.everything
            )

        return await speak(house, self.site, self.by, resumed)


@dataclass(frozen=True, slots=True)
class AbortRollout(Question[Said]):
    """End a rollout under way; attributes as of `PauseRollout`."""

    word: ClassVar = "rollout-abort"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or no rollout that could be ended.
        """
        why = reason_of(self.reason)

        async def aborted(store: "Store", who: Speaker) -> Saying:
            from otto.decide import steering  # noqa: PLC0415

            known, applied = await store.rollout(self.site), await store.applied(self.site)
            return steering.abort(self.site, known, applied, who, why)

        return await speak(house, self.site, self.by, aborted)


@dataclass(frozen=True, slots=True)
class UndoRollout(Question[Said]):
    """Take back what is in place; attributes as of `PauseRollout`."""

    word: ClassVar = "rollout-undo"
    scope: ClassVar = Scope.OPERATE

    site: str
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or nothing that could be taken back.
        """
        why = reason_of(self.reason)

        async def undone(store: "Store", who: Speaker) -> Saying:
            from otto.decide import steering  # noqa: PLC0415

            known, applied = await store.rollout(self.site), await store.applied(self.site)
            grants = await store.ledger.grants(site=self.site)
            return steering.undo(self.site, known, applied, grants, who, reason=why)

        return await speak(house, self.site, self.by, undone)
