"""Freezes deletions when the repository loses much at once, and keeps what vanished as it was."""

from dataclasses import replace

import structlog

from otto.decide import notices
from otto.decide.collapse import Collapsed, collapsed
from otto.model.catalogue import Catalogue
from otto.model.history import OTTO, AuditEntry, Grant, GrantKind
from otto.model.spec import SiteSpec
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.freeze")

SOURCE = "source"


class Freezer:
    """Looks at every new commit for what is missing from it.

    Attributes:
        held: sites whose specs vanished in a collapse: their last good specs stay in force.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.held: frozenset[str] = frozenset()

    async def load(self) -> frozenset[str]:
        """Read which sites are held; those that were until now and are not any more."""
        before, freezes = self.held, await self._freezes()
        self.held = frozenset(name for freeze in freezes for name in freeze.held)
        self._kit.metrics.frozen(on=bool(freezes))
        return before - self.held

    async def review(self, before: dict[str, SiteSpec], after: Catalogue, kept: dict[str, SiteSpec]) -> None:
        """Compare the specs in force with those of a new commit, before anything comes of it.

        Args:
            before: specs in force until now.
            after: the new commit's.
            kept: last good specs of sites whose newest one is bad.
        """
        specs = {**kept, **after.sites}
        buried = frozenset(after.tombstones)
        own = await self._own()
        back = {name for name in self.held if name in specs or name in buried}
        # What is held already has vanished once; it does so no more with each commit, or each start.
        there = {name: spec for name, spec in before.items() if name not in self.held - back}
        found = collapsed(there, specs, buried, self._kit.policies.fleet().collapse)
        if found is not None:
            await self._freeze(found, self.held - back, after.commit)
        elif own is not None and own.held and back >= self.held:
            await self._thaw(own)
        elif own is not None and back:
            await self._hold(own, self.held - back)

    async def _own(self) -> Grant | None:
        """The freeze that OttO itself set, if it holds."""
        return next((item for item in await self._freezes() if item.origin == SOURCE), None)

    async def _freezes(self) -> tuple[Grant, ...]:
        """The freezes of all sites that hold, people's among them."""
        found = await self._kit.ledger.grants(site="", kind=GrantKind.FREEZE)
        now = self._kit.clock.now()
        return tuple(item for item in found if item.holds(now))

    async def _freeze(self, found: Collapsed, held: frozenset[str], commit: str) -> None:
        now = self._kit.clock.now()
        names = tuple(sorted({*held, *found.vanished}))
        entry = AuditEntry(
            now, OTTO, "freeze", "", "", f"deletions are frozen at commit {commit[:12]}", found.reason
        )
        await self._kit.ledger.append(entry)
        await self._kit.ledger.grant(
            Grant(GrantKind.FREEZE, "", OTTO, now, reason=found.reason, origin=SOURCE, held=names)
        )
        self.held = frozenset(names)
        self._kit.metrics.frozen(on=True)
        log.error("freeze.set", reason=found.reason, vanished=list(found.vanished[:20]), mend="otto thaw")
        await self._kit.notifier.notify(notices.of_freeze(found.reason, found.vanished, now))

    async def _thaw(self, own: Grant) -> None:
        now = self._kit.clock.now()
        why = "every site that had vanished is back"
        await self._kit.ledger.append(AuditEntry(now, OTTO, "thaw", "", "", "deletions go on", why))
        await self._kit.ledger.revoke(own)
        await self.load()
        log.warning("freeze.lifted", reason=why)
        await self._kit.notifier.notify(notices.of_thaw(f"OttO: {why}", now))

    async def _hold(self, own: Grant, held: frozenset[str]) -> None:
        names = tuple(sorted(held))
        await self._kit.ledger.grant(replace(own, held=names))
        self.held = held
