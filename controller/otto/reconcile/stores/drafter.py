"""Makes of an order a commit that no branch leads to, and has it judged as a push is."""

from collections.abc import Iterator
from dataclasses import dataclass

from otto.config import SourceSettings
from otto.decide import links, writing
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue
from otto.model.document import Commission, Data, Document, Kind
from otto.model.errors import TerminalError
from otto.model.problem import Problem
from otto.model.writing import InvalidError, NotThereError, Order, TakenError
from otto.ports.specbook import Editor, Specbook
from otto.reconcile.door import Door
from otto.reconcile.fleet import Fleet
from otto.reconcile.kit import Kit
from otto.reconcile.stores.shelf import TOMBSTONE, Place, Shelf


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


class Drafter:
    """Drafts.

    Args:
        kit: the ports.
        fleet: reads commits.
        door: says which signatures are demanded.
        source: settings of the repository.
        book: makes commits.
        editor: edits files.

    Attributes:
        shelf: finds documents.
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
        self._last = Catalogue()
        self.shelf = Shelf(kit.source, fleet, editor)

    def document(self, order: Order, commit: str) -> Document | None:
        """What an order was about, as a commit has it."""
        place = self.shelf.find(commit, order.kind, order.name)
        return self.shelf.document(commit, order.kind, place) if place else None

    async def draft(self, order: Order, base: str) -> Drafted:
        """What an order makes of a commit; no branch leads to it.

        Raises:
            UsageError: it cannot be, and why (see `otto.model.writing`).
            TerminalError: what OttO demands of commits refuses it.
        """
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
        """What a commit makes of everything; known of the one that was drafted or came in force last."""
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
        self._last = after
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


def _local(name: str) -> str:
    """What stands before the @ of a caller's address."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name.lower()[:64])
    return plain.strip(".-") or "unknown"
