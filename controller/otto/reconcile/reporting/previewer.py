"""Works out what merging a proposal would do. Nothing is changed, and no host is asked or told anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from otto.decide.catalogue import touched
from otto.decide.collapse import collapsed
from otto.decide.preview import Preview
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue
from otto.model.errors import TerminalError
from otto.model.spec import Content, SiteSpec
from otto.ports import Proposals, Source
from otto.reconcile.fleet import Fleet
from otto.reconcile.foresight import Foresight
from otto.reconcile.kit import Kit
from otto.reconcile.resolve import Resolver

_SITES = 25


@dataclass(frozen=True, slots=True)
class _Offered:
    """Reads a proposal where the loop's own parts ask for a source.

    Attributes:
        proposals: the copy that proposals lie in.
        source: the real source: content of other repositories that are in force already comes from there.
        known: content that specs in force name.
    """

    proposals: Proposals
    source: Source
    known: frozenset[Content]

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree, as of `Source`; a repository that only the proposal names is not fetched from."""
        if not content.git:
            return await self.proposals.content(commit, content)
        if content not in self.known:
            mend = "nothing is fetched from a repository before a spec that names it is merged"
            raise TerminalError("the content comes from a repository or a ref that is new", mend=mend)
        return await self.source.content(commit, content)


class Previewer:
    """Previews proposals.

    Args:
        kit: the ports.
        fleet: the specs in force.
        proposals: the copy that proposals lie in.
    """

    def __init__(self, kit: Kit, fleet: Fleet, proposals: Proposals) -> None:
        self._kit = kit
        self._fleet = fleet
        self._proposals = proposals
        self._foresight = Foresight(kit, fleet, self._resolver)

    async def preview(self, ref: str, base: str) -> Preview:
        """What merging a ref into the commit in force would do.

        Raises:
            TransientError: it cannot be told now.
            TerminalError: it cannot be told.
        """
        proposal = await self._proposals.merged(ref, base)
        if not proposal.commit:
            return Preview(proposal)
        source = cast("Source", self._proposals)  # what `Fleet.preview` reads of it, both have
        before, after = self._fleet.catalogue, self._fleet.preview(proposal.commit, source)
        changed = self._proposals.changed(base, proposal.commit)
        judgement = judge(before, after, changed)
        names = sorted(touched(before, after, changed))
        await self._foresight.load()
        sites = [await self._foresight.foresee(site, after) for site in names[:_SITES]]
        lines = tuple(line for line in judgement.lines[1:] if not line.startswith("Watch it"))
        return Preview(
            proposal,
            lines,
            tuple(sites),
            len(names) - len(sites),
            len(judgement.refusals),
            tuple(self._notes(after)),
        )

    def _notes(self, after: Catalogue) -> Iterable[str]:
        """What would happen to all sites together."""
        specs = self._fleet.specs_in_force()
        kept = {name: specs[name] for name in after.problems if name in specs}
        buried = frozenset(after.tombstones)
        found = collapsed(specs, {**kept, **after.sites}, buried, self._kit.policies.fleet().collapse)
        if found is not None:
            yield f"All deletion would be frozen: {found.reason}"

    def _resolver(self) -> Resolver:
        specs: Mapping[str, SiteSpec] = self._fleet.specs_in_force()
        content = frozenset(spec.content for spec in specs.values())
        offered = _Offered(self._proposals, self._kit.source, content)
        return Resolver(replace(self._kit, source=cast("Source", offered)))
