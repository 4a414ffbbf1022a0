"""What callers do with documents: read, make, replace, patch, remove; with git as the only truth."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from otto.decide import writing
from otto.decide.catalogue import touched
from otto.decide.mergepatch import merged
from otto.decide.preview import SitePreview
from otto.decide.pushed import judge
from otto.model.caller import Caller, Scope
from otto.model.catalogue import Catalogue
from otto.model.document import Data, Document, Kind, Written
from otto.model.errors import OttoError
from otto.model.status import ConditionType, Phase, SiteStatus, Truth
from otto.model.writing import Burial, Change, NotAllowedError, NotThereError, Order, Precondition, TakenError
from otto.reconcile.fleet import Fleet
from otto.reconcile.foresight import Foresight
from otto.reconcile.kit import Kit
from otto.reconcile.resolve import Resolver
from otto.reconcile.stores.shelf import Shelf
from otto.reconcile.stores.writer import Writer
from otto.reconcile.watch import Watcher

log = structlog.get_logger("otto.stores")

_POLL = 0.25
_RESOLVE = 5.0  # seconds that naming the new wish may take
_FORESEEN = 25  # sites and zones that a dry run tells of
_GONE = frozenset({Phase.ORPHANED, Phase.DESTROYED})


Edit = Callable[[Data], Data]
"""From what a document says to what it is to say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a write, and how.

    Attributes:
        caller: who.
        reason: why, in their words.
        request: id of the request.
        precondition: what has to hold of the document that is there.
    """

    caller: Caller
    reason: str = ""
    request: str = ""
    precondition: Precondition = lambda _: None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a write would do.

    Attributes:
        changed: whether it would change anything.
        lines: what changes, in words, as a push is answered.
        previews: of the sites and zones that it touches.
        more: how many more there are.
        notes: what else there is to say.
    """

    changed: bool
    lines: tuple[str, ...] = ()
    previews: tuple[SitePreview, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()


class Stores:
    """The documents of the spec repository. Of the controller's event loop.

    Args:
        kit: the ports.
        fleet: which documents are in force.
        watcher: is told of every commit.
        writer: makes commits.
        shelf: finds documents.
        foresight: foresees what comes of them.
        zone_digest: what the newest wish for a zone is called.
    """

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        watcher: Watcher,
        *,
        writer: Writer,
        shelf: Shelf,
        foresight: Foresight,
        zone_digest: Callable[[str], str],
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._watcher = watcher
        self._writer = writer
        self._shelf = shelf
        self._foresight = foresight
        self._zone_digest = zone_digest

    async def recover(self) -> None:
        """Take up what a killed controller left; what cannot be told now is told at the next start."""
        try:
            await self._writer.record.settle()
        except OttoError as error:
            log.warning("stores.unrecovered", error=str(error))

    def get(self, kind: Kind, name: str, caller: Caller) -> Document:
        """A document as it stands in the newest commit that is known here.

        Raises:
            NotThereError: there is none, or none that the caller sees.
            UsageError: it stands twice, or in a file that cannot be read.
        """
        commit = self._newest()
        place = self._shelf.find(commit, kind, name)
        if place is None or not caller.sees(writing.labels_of(place.piece.data)):
            raise NotThereError(f"there is no {writing.named(kind, name)}")
        return self._shelf.document(commit, kind, place)

    def _newest(self) -> str:
        """The newest commit: what was written here counts, too, while the watch cannot see it."""
        state, written = self._watcher.state, self._writer.written
        seen = state.commit or self._fleet.catalogue.commit
        # A watch that sees has seen it: whoever wrote it was not answered before. Whether a commit builds on
        # it with others in between, a copy whose history is cut off may not know.
        unseen = not seen or (state.failures and not self._kit.source.reaches(seen, written))
        return written if written and unseen else seen

    def creation(self, kind: Kind, name: str, data: Data, asked: Asked) -> Order:
        """The order that makes a document."""

        def change(old: Data | None) -> Data:
            if old is not None:
                mend = "replace it with PUT, or change it with PATCH"
                raise TakenError(f"there is a {writing.named(kind, name)} already", mend=mend)
            return data

        return _order(kind, name, change, "create", asked)

    def replacement(self, kind: Kind, name: str, data: Data, asked: Asked) -> Order:
        """The order that has a document say something else."""
        return self.edit(kind, name, lambda _: data, "replace", asked)

    def patch(self, kind: Kind, name: str, patch: Data, asked: Asked) -> Order:
        """The order that changes a document by a JSON merge patch (RFC 7396)."""
        return self.edit(kind, name, lambda old: merged(old, patch), "patch", asked)

    def edit(self, kind: Kind, name: str, change: Edit, verb: str, asked: Asked) -> Order:
        """The order that makes something else of a document that is there."""

        def changed(old: Data | None) -> Data:
            if old is None:
                raise NotThereError(f"there is no {writing.named(kind, name)}")
            return change(old)

        return _order(kind, name, changed, verb, asked)

    def removal(self, kind: Kind, name: str, asked: Asked, burial: Burial | None = None) -> Order:
        """The order that takes a document out; with a burial, a site is taken down by a tombstone.

        Raises:
            NotAllowedError: taking a site down needs the scope admin.
        """
        if burial is not None and not asked.caller.may(Scope.ADMIN):
            raise NotAllowedError("taking a site down needs the scope admin")

        def change(old: Data | None) -> None:
            if old is None:
                raise NotThereError(f"there is no {writing.named(kind, name)}")

        return replace(_order(kind, name, change, "bury" if burial else "remove", asked), burial=burial)

    async def write(self, order: Order) -> Written:
        """Carry an order out, and have the loop take it up at once.

        Raises:
            OttoError: as `Writer.write`.
        """
        written = await self._writer.write(order)
        await self._watcher.catch_up(written.commit, by=order.caller.name)
        notes = written.notes
        if self._watcher.state.unsigned:
            notes = (*notes, f"it is not deployed yet: {self._watcher.state.unsigned}")
        return replace(written, digest=await self._digest(order), notes=notes)

    async def _digest(self, order: Order) -> str:
        """What the new wish is called; "" where that cannot be told (soon), or it is not in force."""
        catalogue = self._fleet.catalogue
        if order.kind is Kind.DOMAIN:
            return self._zone_digest(order.name) if order.name in catalogue.domains else ""
        known = self._fleet.in_force(order.name) if order.kind is Kind.SITE else None
        if known is None or known.spec != catalogue.sites.get(order.name) or self._watcher.state.unsigned:
            return ""
        try:
            async with asyncio.timeout(_RESOLVE):
                return (await Resolver(self._kit).resolve(known)).digest
        except (OttoError, TimeoutError):
            return ""

    async def dry_run(self, order: Order) -> Foreseen:
        """What an order would do; nothing is changed, and no branch leads to the draft.

        Raises:
            OttoError: it would be refused, as `Writer.write` does.
        """
        draft = await self._writer.dry_run(order)
        if draft.commit == draft.base:
            return Foreseen(changed=False)
        before, after = draft.before, draft.after
        changed = self._kit.source.changed(draft.base, draft.commit) if draft.base else frozenset()
        names = sorted(touched(before, after, changed))
        seen = [name for name in names if self._is_seen(name, order, before, after)]
        await self._foresight.load()
        previews = [await self._foresight.foresee(name, after) for name in seen[:_FORESEEN]]
        lines = judge(before, after, changed).lines[1:-1] if not order.caller.labels else ()
        return Foreseen(
            changed=True,
            lines=lines,
            previews=tuple(previews),
            more=len(names) - len(previews),
            notes=draft.notes,
        )

    def _is_seen(self, name: str, order: Order, *catalogues: Catalogue) -> bool:
        if name == order.name or not order.caller.labels:
            return True
        found = (known.sites.get(name) or known.domains.get(name) for known in catalogues)
        return any(spec is not None and order.caller.sees(spec.labels) for spec in found)

    async def ready(self, order: Order, written: Written, seconds: float) -> bool:
        """Wait until what was written is so: ready, or gone; whether it is, within that many seconds."""
        if order.kind is Kind.HOST:
            return True
        clock, until = self._kit.clock, self._kit.clock.monotonic() + seconds
        while True:
            status = await self._kit.store.status(order.name)
            if _is_gone(status) if written.document is None else self._is_so(status, written):
                return True
            if clock.monotonic() >= until:
                return False
            await clock.sleep(_POLL)

    def _is_so(self, status: SiteStatus | None, written: Written) -> bool:
        """Whether what was written, or what came after it and holds it, is as it should be."""
        condition = status.conditions.get(ConditionType.READY) if status is not None else None
        if status is None or condition is None or condition.status is not Truth.TRUE:
            return False
        if condition.observed_digest != status.digest:
            return False
        if written.digest and status.digest == written.digest:
            return True
        return bool(status.commit) and self._kit.source.reaches(status.commit, written.commit)


def _is_gone(status: SiteStatus | None) -> bool:
    return status is None or status.phase in _GONE


def _order(kind: Kind, name: str, change: Change, verb: str, asked: Asked) -> Order:
    return Order(kind, name, asked.caller, change, verb, asked.reason, asked.request, asked.precondition)
