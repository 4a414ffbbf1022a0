"""Makes a write a commit: judged as a push is, upon the newest commit, as often as that takes."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from otto.config import SourceSettings
from otto.decide import links, writing
from otto.decide.pushed import judge
from otto.model.canonical import to_data
from otto.model.catalogue import Catalogue
from otto.model.document import Commission, Data, Document, Kind, Written
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import AuditEntry
from otto.model.problem import Problem
from otto.model.reading import read
from otto.model.writing import InvalidError, NotThereError, Order, TakenError
from otto.ports.specbook import Editor, MovedError, Specbook
from otto.reconcile.door import Door
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.stores.shelf import TOMBSTONE, Place, Shelf

log = structlog.get_logger("otto.stores")

_TRIES = 8
_PAUSE = 0.05  # seconds before the second try, doubled with each, moved at random
_OPEN = "stores.open"


@dataclass(frozen=True, slots=True)
class Drafted:
    """A write that was found good.

    Attributes:
        base: the commit it is built upon.
        commit: the draft; `base` itself where nothing changes.
        place: where the document stood before, None when it is new.
        after: the catalogue of the draft.
        before: that of the base.
        notes: what else there is to say.
    """

    base: str
    commit: str
    place: Place | None
    before: Catalogue
    after: Catalogue
    notes: tuple[str, ...] = ()


class Writer:
    """Writes, one at a time.

    Args:
        kit: the ports.
        fleet: reads commits.
        door: says which signatures are demanded.
        source: settings of the repository.
        book: makes commits.
        editor: edits files.

    Attributes:
        shelf: finds documents.
        written: the last commit that was made here, "" before the first.
    """

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        door: Door,
        source: SourceSettings,
        *,
        book: Specbook,
        editor: Editor,
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._door = door
        self._settings = source
        self._book = book
        self._editor = editor
        self._one_at_a_time = asyncio.Lock()
        self._under_way: set[asyncio.Task[Written]] = set()
        self._last = Catalogue()
        self.written = ""
        self.shelf = Shelf(kit.source, fleet, editor)

    async def write(self, order: Order) -> Written:
        """Carry out a write. Once begun it goes to its end, even if whoever asked has gone.

        Raises:
            UsageError: it cannot be, and why (see `otto.model.writing`); nothing was changed.
            TerminalError: what OttO demands of commits, or the remote, refuses it.
            TransientError: the remote cannot be reached, or too much is being pushed.
        """
        task = asyncio.ensure_future(self._recorded(order))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def dry_run(self, order: Order) -> Drafted:
        """The same up to the commit that would be made; raises as `write` does."""
        async with self._one_at_a_time:
            return await self._draft(order)

    async def recover(self) -> None:
        """Put on record what was published by a controller that was killed before it could say so."""
        text = await self._kit.store.value(_OPEN)
        if not text:
            return
        kept = json.loads(text)
        head = await self._book.head()
        if head and self._kit.source.reaches(head, kept["commit"]):
            await self._kit.ledger.append(read(AuditEntry, kept["entry"]))
        await self._kit.store.set_value(_OPEN, "")

    async def _recorded(self, order: Order) -> Written:
        about = {} if order.kind is Kind.HOST else {"site": order.name}
        with structlog.contextvars.bound_contextvars(**about):
            try:
                async with self._one_at_a_time:
                    return await self._published(order)
            except Exception as error:
                # Preconditions raise what their own side knows: that is on record all the same.
                await self._refused(order, error)
                raise

    async def _published(self, order: Order) -> Written:
        for attempt in range(_TRIES):
            if attempt:
                pause = _PAUSE * 2**attempt
                await self._kit.clock.sleep(self._kit.rng.uniform(pause / 2, pause))
            draft = await self._draft(order)
            if draft.commit == draft.base:
                return Written(draft.base, self._document(order, draft.base), changed=False)
            entry = self._entry(order, draft)
            kept = {"commit": draft.commit, "entry": to_data(entry)}
            await self._kit.store.set_value(_OPEN, json.dumps(kept))
            try:
                await self._book.publish(draft.commit, draft.base)
            except MovedError:
                self._kit.metrics.write_retried()
                log.info("stores.moved", kind=order.kind.value, name=order.name, attempt=attempt + 1)
                continue
            self._last, self.written = draft.after, draft.commit
            await self._kit.ledger.append(entry)
            await self._kit.store.set_value(_OPEN, "")
            log.info("stores.written", kind=order.kind.value, name=order.name, commit=draft.commit)
            return Written(draft.commit, self._document(order, draft.commit), changed=True, notes=draft.notes)
        raise TransientError(f"others push faster than OttO can commit ({_TRIES} tries)", retry_after=5)

    def _document(self, order: Order, commit: str) -> Document | None:
        place = self.shelf.find(commit, order.kind, order.name)
        return self.shelf.document(commit, order.kind, place) if place else None

    async def _draft(self, order: Order) -> Drafted:
        base = await self._book.head()
        place = self.shelf.find(base, order.kind, order.name)
        if place is not None and not order.caller.sees(writing.labels_of(place.piece.data)):
            # There is no such document for them: all is as if there were none, but that its name is taken.
            order.precondition(None)
            order.change(None)
            raise TakenError(f"the name {order.name[:100]} is taken")
        known = self.shelf.document(base, order.kind, place) if place else None
        order.precondition(known.etag if known else None)
        old = known.data if known else None
        new = order.change(old)
        before = self._catalogue(base)
        if new is not None:
            writing.require_own_name(order, new)
            writing.require_own_labels(order.caller, new, writing.named(order.kind, order.name))
            if old is not None and place and not place.piece.flawed and not list(writing.changed(old, new)):
                return Drafted(base, base, place, before, before)
        self._require_own_site(order, before, old, new)
        files, notes = self._files(order, base, place, new)
        return await self._judged(order, Drafted(base, "", place, before, before, notes), files, (old, new))

    def _catalogue(self, commit: str) -> Catalogue:
        """What a commit makes of everything; known of the one that was written or came in force last."""
        if commit != self._last.commit:
            known = self._fleet.catalogue
            self._last = known if known.commit == commit else self._fleet.preview(commit)
        return self._last

    def _require_own_site(self, order: Order, before: Catalogue, old: Data | None, new: Data | None) -> None:
        """A machine is never put into, or taken out of, a site that is not the caller's."""
        if order.kind is not Kind.HOST or not order.caller.labels:
            return
        for data in (old, new):
            spec = data.get("spec") if data else None
            site = spec.get("site") if isinstance(spec, dict) else None
            known = before.sites.get(site) if isinstance(site, str) and site else None
            if isinstance(site, str) and site and (known is None or not order.caller.sees(known.labels)):
                raise NotThereError(f"there is no site {site[:60]!r}")

    def _files(
        self, order: Order, base: str, place: Place | None, new: Data | None
    ) -> tuple[dict[str, bytes | None], tuple[str, ...]]:
        """The files that change, and what there is to say of it."""
        if place is not None:
            data = self.shelf.read(base, place.path)
            path, index = place.path, place.piece.index
            if new is not None:
                return {path: self._editor.replaced(path, data, index, new)}, ()
            files = {path: self._editor.removed(path, data, index)}
            if order.burial is not None:
                stone = writing.tombstone(order, order.burial)
                free = self._free(base, writing.tombstone_paths(self._settings.path, order.name), files)
                files[free] = self._editor.created(free, stone)
            return files, ()
        if new is None:
            raise NotThereError(f"there is no {writing.named(order.kind, order.name)}")
        path = self._free(base, writing.new_paths(self._settings.path, order.kind, order.name), {})
        files = {path: self._editor.created(path, new)}
        return files, tuple(self._unburied(order, base, files))

    def _unburied(self, order: Order, base: str, files: dict[str, bytes | None]) -> Iterator[str]:
        """Take a site's tombstones out that stand against its coming back."""
        if order.kind is not Kind.SITE or not base:
            return
        stones = list(self.shelf.places(base, TOMBSTONE, order.name))
        # From behind, so that the places of those before stay what they are.
        for stone in sorted(stones, key=lambda one: (one.path, -one.piece.index)):
            data = files.get(stone.path, self.shelf.read(base, stone.path)) or b""
            files[stone.path] = self._editor.removed(stone.path, data, stone.piece.index)
            yield f"its tombstone in {stone} was taken out"

    def _free(self, base: str, paths: Iterator[str], taken: dict[str, bytes | None]) -> str:
        entries = self._kit.source.entries(base) if base else {}
        return next(path for path in paths if path not in entries and path not in taken)

    async def _judged(
        self,
        order: Order,
        draft: Drafted,
        files: dict[str, bytes | None],
        data: tuple[Data | None, Data | None],
    ) -> Drafted:
        """The draft, found good by what judges a push."""
        caller = order.caller
        message = writing.message(order, *data)
        author, email = caller.name or "unknown", f"{_local(caller.name)}@{self._settings.mailDomain}"
        commit = await self._book.draft(Commission(author, email, message, draft.base, files))
        after = self._fleet.preview(commit)
        problems = writing.brought(draft.before, after, writing.problem_key(order.kind, order.name))
        if not problems and self._settings.rejectInvalid:
            changed = self._kit.source.changed(draft.base, commit) if draft.base else frozenset(files)
            problems = judge(draft.before, after, changed, refuse=True).refusals
        problems = self._with_links(order, draft.before, problems, *data)
        if problems:
            what = writing.named(order.kind, order.name)
            own = writing.problem_key(order.kind, order.name)
            raise InvalidError(f"the {what} cannot be written", writing.shown_to(caller, problems, own))
        refusal = await self._door.preview(commit, self._kit.source)
        if refusal is not None:
            mend = "set source.signingKey to a key of OttO's own, and name its public half in the policy"
            raise TerminalError(refusal.reason, mend=mend)
        return Drafted(draft.base, commit, draft.place, draft.before, after, draft.notes)

    def _with_links(
        self,
        order: Order,
        before: Catalogue,
        problems: tuple[Problem, ...],
        old: Data | None,
        new: Data | None,
    ) -> tuple[Problem, ...]:
        """The problems, with what the document says of sites that are not the caller's to see."""
        caller, kind = order.caller, order.kind
        if not caller.labels:
            return problems

        def sees(name: str) -> bool:
            known = self._fleet.in_force(name) if name in before.problems else None
            spec = before.sites.get(name) or (known.spec if known else None)
            return spec is not None and caller.sees(spec.labels)

        named = links.links(kind, old), links.links(kind, new)
        return links.without_unseen(problems, writing.problem_key(kind, order.name), *named, sees)

    def _entry(self, order: Order, draft: Drafted) -> AuditEntry:
        new = {} if draft.place else {"new": "yes"}
        return AuditEntry(
            self._kit.clock.now(),
            order.caller.name,
            "write",
            site=order.name,
            summary=f"{order.verb} {writing.named(order.kind, order.name)}",
            reason=writing.why(order),
            detail={**self._about(order), "commit": draft.commit, **new},
        )

    async def _refused(self, order: Order, error: Exception) -> None:
        """Put a refusal on record; the refusal itself matters more than its record."""
        why = error.message if isinstance(error, OttoError) else str(error)
        entry = AuditEntry(
            self._kit.clock.now(),
            order.caller.name,
            "refuse",
            site=order.name,
            summary=f"{order.verb} {writing.named(order.kind, order.name)} refused",
            reason=why[:500],
            detail=self._about(order),
        )
        try:
            await self._kit.ledger.append(entry)
        except OttoError as trouble:
            log.exception("stores.unrecorded", error=str(trouble))

    def _about(self, order: Order) -> dict[str, str]:
        caller = order.caller
        found = {"token": caller.token, "from": caller.address, "request": order.request}
        return {name: value for name, value in found.items() if value}


def _local(name: str) -> str:
    """What stands before the @ of a caller's address."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name.lower()[:64])
    return plain.strip(".-") or "unknown"
