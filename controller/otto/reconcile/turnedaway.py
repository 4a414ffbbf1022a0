"""Pushes that nobody known has signed: each is a pipeline of the sites it is about, and fails at once."""

from collections import OrderedDict

import structlog

from otto.decide.catalogue import touched
from otto.model.errors import OttoError
from otto.model.pipeline import Event, Trigger
from otto.model.signature import Refusal
from otto.ports import Source
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.pipelines import Pipelines

log = structlog.get_logger("otto.signatures")

_REMEMBERED = 256
_LOOKED_BACK = 50
_NEW = 20


class TurnedAway:
    """Opens the pipelines of what is refused; nothing of it comes into force.

    Args:
        kit: the ports.
        fleet: the specs in force.
        pipelines: where pipelines are opened.
    """

    def __init__(self, kit: Kit, fleet: Fleet, pipelines: Pipelines) -> None:
        self._kit = kit
        self._fleet = fleet
        self._pipelines = pipelines
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def refused(self, commit: str, refusal: Refusal, source: Source | None = None) -> None:
        """Something is not deployed for want of a signature; said again, it makes nothing more.

        Args:
            commit: what would have been deployed.
            refusal: why it is not.
            source: holds the commit, where it is none of the repository's yet.
        """
        key = (refusal.id, refusal.reason)
        if key in self._known:
            return
        self._known[key] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        try:
            sites, by = self._touched(commit, source or self._kit.source)
        except OttoError as error:
            log.warning("signatures.unrecorded", commit=commit, error=str(error))
            return
        told = {site for site in sites if await self._told(site, refusal)}
        event = Event(Trigger.PUSH, self._kit.clock.now(), by, commit=commit)
        lines = [refusal.reason, *([f"to go on: {refusal.mend}"] if refusal.mend else [])]
        self._pipelines.refuse(event, sites - told, refusal.reason, lines)

    def _touched(self, commit: str, source: Source) -> tuple[frozenset[str], str]:
        """Sites that the commit would have touched, and who wrote it."""
        after, changed = self._fleet.compared(commit, source)
        names, known_here = touched(self._fleet.catalogue, after, changed), self._fleet.names()
        new = sorted(names - known_here)[:_NEW]  # whoever may push could else fill the records with names
        return names & known_here | set(new), source.author(commit)

    async def _told(self, site: str, refusal: Refusal) -> bool:
        """Whether an earlier start opened a pipeline of it already."""
        newest = await self._kit.store.pipelines.pipelines(site, _LOOKED_BACK)
        return any(item.message == refusal.reason for item in newest)
