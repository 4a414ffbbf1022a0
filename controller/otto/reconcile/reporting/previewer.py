"""Works out what merging a proposal would do. Nothing is changed, and no host is asked or told anything."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from otto.decide.catalogue import touched
from otto.decide.collapse import collapsed
from otto.decide.planning import removal
from otto.decide.preview import Preview, SitePreview
from otto.decide.proposed import proposed
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue, RememberedSpec
from otto.model.desired import Desired
from otto.model.domain import is_zone
from otto.model.errors import OttoError, TerminalError
from otto.model.forge import Proposal
from otto.model.observed import InfrastructureState
from otto.model.plan import Removing
from otto.model.spec import Content, SiteSpec
from otto.model.verdict import Allowed
from otto.ports import Proposals, Source
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.domains.preview import ZonePreviewer
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.headcount import Headcount
from otto.reconcile.kit import Kit
from otto.reconcile.resolve import Resolver
from otto.reconcile.waves import Waves

_SITES = 25
_SECONDS = 60.0


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
        self._books = Bookkeeper(kit)
        self._headcount = Headcount(kit)
        self._gate = Gatekeeper(kit, self._books, self._headcount, Waves(kit, fleet.specs_in_force))
        self._zones = ZonePreviewer(kit, fleet, self._gate)

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
        await self._headcount.load()
        sites = [await self._in_time(site, proposal, after) for site in names[:_SITES]]
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

    async def _in_time(self, site: str, proposal: Proposal, after: Catalogue) -> SitePreview:
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._site(site, proposal, after)
        except TerminalError as error:
            return SitePreview(site, trouble=str(error), wrong=site in after.sites or site in after.domains)
        except OttoError as error:
            return SitePreview(site, trouble=f"it cannot be told now: {error}")
        except TimeoutError:
            return SitePreview(site, trouble=f"it could not be told within {_SECONDS:g} s")

    async def _site(self, site: str, proposal: Proposal, after: Catalogue) -> SitePreview:
        if site in after.problems:
            return SitePreview(site, trouble=str(after.problems[site][0]), wrong=True)
        if is_zone(site):
            return await self._zones.preview(site, after)
        if site in after.tombstones:
            return await self._removed(site)
        if site not in after.sites:
            return SitePreview(
                site, trouble="no spec would want it any more: it would be orphaned, and keep serving"
            )
        spec = after.sites[site]
        if spec.suspend:
            return SitePreview(site, trouble="it would be suspended: nothing of it would be changed")
        return await self._changed(spec, proposal.commit)

    async def _changed(self, spec: SiteSpec, commit: str) -> SitePreview:
        applied = await self._kit.store.applied(spec.name)
        placed = await self._gate.place(spec, applied)
        if not isinstance(placed.verdict, Allowed):
            return SitePreview(spec.name, placed.plan, placed.verdict)
        after = await self._resolved(RememberedSpec(spec, commit))
        before = await self._present(spec.name)
        state = await self._state(spec.name)
        planned = proposed(before, after, state, self._kit.clock.now())
        priced = self._books.priced(planned, after, state.hosts, applied)
        judged = await self._gate.assess(priced, spec, applied)
        return SitePreview(spec.name, judged.plan, judged.verdict)

    async def _removed(self, site: str) -> SitePreview:
        applied = await self._kit.store.applied(site)
        known = self._fleet.last_good(site)
        provider = applied.provider or (known.spec.provider if known else None)
        if provider is None:
            return SitePreview(site, trouble="there is nothing of it to take down")
        live = await self._kit.infrastructure.inventory(site)
        plan = removal(site, provider.value, await self._state(site), live, Removing.TOMBSTONE)
        judged = await self._gate.assess(plan, known.spec if known else None, applied)
        return SitePreview(site, judged.plan, judged.verdict)

    async def _resolved(self, known: RememberedSpec) -> Desired:
        specs: Mapping[str, SiteSpec] = self._fleet.specs_in_force()
        content = frozenset(spec.content for spec in specs.values())
        offered = _Offered(self._proposals, self._kit.source, content)
        return await Resolver(replace(self._kit, source=cast("Source", offered))).resolve(known)

    async def _present(self, site: str) -> Desired | None:
        """The wish in force; None where there is none that can be worked out."""
        known = self._fleet.in_force(site)
        if known is None:
            return None
        try:
            return await Resolver(self._kit).resolve(known)
        except OttoError:
            return (await self._kit.store.applied(site)).desired

    async def _state(self, site: str) -> InfrastructureState:
        return await self._kit.infrastructure.state(site) or InfrastructureState()
