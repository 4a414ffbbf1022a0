"""Whose turn it is to get what many sites share, kept in memory from what happens.

Without an order in the fleet's policy nothing is done here. With one, the sites are gone through when a plan
brings something that is shared, once while nothing happens that could change the answer.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from otto.decide.waves import Member, Shared, changed, lacks, reaches, shared, shared_inputs, turn, waves
from otto.model.errors import OttoError
from otto.model.history import Turn
from otto.model.observed import Applied
from otto.model.plan import Plan
from otto.model.rollout import RolloutState
from otto.model.spec import Provider, Role, SiteSpec
from otto.model.status import Phase, SiteStatus
from otto.model.strategy import FleetRollout
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.kit import Kit

# Nothing is done to these, so nobody waits for them.
_AWAY = frozenset({Phase.SUSPENDED, Phase.ORPHANED, Phase.DESTROYING, Phase.DESTROYED})
_FAILED = frozenset({RolloutState.REVERTING, RolloutState.REVERTED, RolloutState.STUCK})
# Times that sites are gone through in a row because something happened meanwhile.
_MOST_LOOKS = 5

Specs = Callable[[], Mapping[str, SiteSpec]]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a site's status says, as far as it counts here."""

    digest: str
    ready: bool
    failures: int
    away: bool
    taken_back: bool

    @property
    def trouble(self) -> tuple[bool, bool, bool]:
        """What makes a site one to wait for, or not."""
        return bool(self.failures), self.away, self.taken_back


@dataclass(frozen=True, slots=True)
class _Had:
    """What a site has in place: the shared part of its last verified wish, and that wish's digest."""

    shared: Shared
    verified: str


@dataclass(slots=True)
class _Change:
    """A shared change under way.

    Attributes:
        members: the sites it reaches.
        policy: the order they were put into.
        stamp: what the members were made of.
        waiting: those that were told to wait.
        waves: names, in order.
        left: those that are not done.
        pending: those that do not have it.
    """

    members: tuple[Member, ...]
    policy: FleetRollout
    stamp: object
    waiting: set[str] = field(default_factory=set)
    waves: tuple[tuple[str, ...], ...] = field(init=False)
    left: set[str] = field(init=False)
    pending: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.waves = waves(self.members, self.policy)
        self.left = {member.site for member in self.members if not member.done}
        self.pending = frozenset(member.site for member in self.members if member.pending)

    def without(self, site: str) -> set[str]:
        """A site is done, or is gone: those that waited, and whose turn has come by that."""
        self.left.discard(site)
        called: set[str] = set()
        for wave in self.waves:
            called |= self.waiting & set(wave)
            if self.left & set(wave):
                break
        self.waiting -= called
        return called

    def behind(self, site: str) -> set[str]:
        """Those that wait in the first wave behind a site's in which anybody does."""
        place = next((n for n, wave in enumerate(self.waves) if site in wave), len(self.waves))
        found = (self.waiting & set(wave) for wave in self.waves[place + 1 :])
        return next((some for some in found if some), set())


class Waves:
    """Answers whose turn it is, and calls sites whose turn has come.

    Args:
        kit: the ports.
        specs: the specs in force.
    """

    def __init__(self, kit: Kit, specs: Specs) -> None:
        self._kit = kit
        self._specs = specs
        self._standing: dict[str, _Standing] = {}
        self._had: dict[str, _Had | None] = {}
        self._going: dict[str, str] = {}
        self._changes: dict[tuple[tuple[str, str], ...], _Change] = {}
        self._called: dict[str, int] = {}
        self._happened = 0
        self._stirred = 0
        self._loaded = False
        kit.bus.subscribe(self._hear)

    async def turn(self, plan: Plan, spec: SiteSpec | None, applied: Applied) -> Turn:
        """Whether it is a site's turn to be changed as a plan says. Nothing shared is new: it always is.

        Args:
            plan: what would be done.
            spec: the site's spec.
            applied: what was put in place there last.
        """
        policy, last = self._kit.policies.fleet().rollout, applied.desired
        ordered = bool(policy.canaries) or policy.wave is not None
        if not ordered or spec is None or last is None or not applied.infrastructure or not plan.steps:
            return Turn()
        if plan.desired == last.digest:
            return Turn()  # what was verified is put in place again
        for known in self._changes.values():
            known.waiting.discard(plan.site)
        self._had[plan.site] = _Had(shared(last), last.digest)
        change = changed(shared(last), await self._want(spec, {}))
        if not change:
            return Turn()
        known, settled = await self._change(change, policy)
        found = turn(plan.site, change, known.members, policy)
        if not found:
            known.waiting.add(plan.site)
            if not settled:
                self._due({plan.site}, "others changed while its turn was looked for")
        return found

    def begin(self, plan: Plan, applied: Applied) -> None:
        """A plan is about to be carried out: if it brings a new wish, its site has that when it is Ready."""
        if applied.desired is not None and applied.desired.digest != plan.desired:
            self._going[plan.site] = plan.desired

    def signature(self, site: str) -> str:
        """Names how often a site's turn has come: a plan that waited for that is judged anew."""
        return f"turn {self._called.get(site, 0)}"

    async def _change(self, change: Shared, policy: FleetRollout) -> tuple[_Change, bool]:
        """A change under way, its members as they are now; and whether nothing happened meanwhile."""
        await self._load()
        key = tuple(sorted(change.items()))
        for _ in range(_MOST_LOOKS):
            specs, stirred = self._specs(), self._stirred
            stamp: object = (self._happened, dict(specs))
            before = self._changes.get(key)
            if before is not None and before.stamp == stamp and before.policy == policy:
                return before, True
            members = tuple([member async for member in self._members(change, specs)])
            if settled := stirred == self._stirred:
                break
        # Others were asked about while this one was: those who wait since are not to be forgotten.
        before = self._changes.get(key)
        stamp = stamp if settled else ()  # nobody goes by it again
        known = _Change(members, policy, stamp, before.waiting if before else set())
        # What nobody waits for any more is over, or was never held up.
        self._changes = {name: item for name, item in self._changes.items() if item.waiting} | {key: known}
        return known, settled

    async def _members(self, change: Shared, specs: Mapping[str, SiteSpec]) -> AsyncIterator[Member]:
        images: dict[tuple[Provider, str], str] = {}
        for site, spec in specs.items():
            standing = self._standing.get(site)
            had = await self._have(site)
            away = spec.suspend or (standing is not None and standing.away)
            if away or had is None or spec.provider.value not in self._kit.providers:
                continue  # nothing is done to it
            try:
                want = await self._want(spec, images)
            except OttoError:
                continue  # what it wants is not to be had: it cannot be waited for
            if reaches(change, want):
                yield _member(spec, standing, had, pending=lacks(change, had.shared, want))

    async def _have(self, site: str) -> _Had | None:
        """What a site has in place; None before its first apply. Read once for each time it changes."""
        if site not in self._had:
            stirred = self._stirred
            applied = await self._kit.store.applied(site)
            wish = applied.desired if applied.infrastructure else None
            had = _Had(shared(wish), wish.digest) if wish else None
            if stirred != self._stirred:
                return had  # it may be another by now
            self._had[site] = had
        return self._had[site]

    async def _want(self, spec: SiteSpec, images: dict[tuple[Provider, str], str]) -> Shared:
        """The shared part of the newest wish for a site.

        Raises:
            OttoError: there is no such image.
        """
        found = {}
        for role in Role:
            key = (spec.provider, spec.group(role).image)
            if key not in images:
                images[key] = await self._kit.images.resolve(*key)
            found[role.value] = images[key]
        module, roles = self._kit.infrastructure.module(spec.provider), self._kit.configuration.roles()
        return shared_inputs(spec, found, module, roles)

    async def _load(self) -> None:
        if not self._loaded:
            known = {status.site: _standing(status) for status in await self._kit.store.statuses()}
            self._standing = known | self._standing
            self._loaded = True

    def _hear(self, event: Event) -> None:
        if isinstance(event, StatusChanged):
            self._noted(event.status.site, _standing(event.status))
        elif isinstance(event, SiteGone):
            self._standing.pop(event.site, None)
            self._had.pop(event.site, None)
            self._going.pop(event.site, None)
            self._called.pop(event.site, None)
            self._happened += 1
            self._stirred += 1
            self._call(event.site)

    def _noted(self, site: str, now: _Standing) -> None:
        before = self._standing.get(site)
        self._standing[site] = now
        self._stirred += before != now
        had = self._had.get(site)
        moved = site in self._had and now.ready and (had is None or had.verified != now.digest)
        if moved:
            del self._had[site]
        if moved or before is None or before.trouble != now.trouble:
            self._happened += 1
        if before is not None and before.trouble != now.trouble:
            self._tell(site)
        well = now.ready and not now.failures
        if now.away or (well and now.digest == self._going.get(site)):
            self._call(site)
        elif well and had is not None and now.digest == had.verified:
            self._call(site, recovered=True)

    def _tell(self, site: str) -> None:
        """A site fails, or does no longer: what those say who wait for it next is not so any more.

        The ones behind them go on saying for whom they wait: a plan of each costs too much to say it better.
        """
        for change in self._changes.values():
            self._due(change.behind(site), f"{site} has failed, or is well again")

    def _due(self, sites: set[str], cause: str) -> None:
        for site in sorted(sites):
            self._called[site] = self._called.get(site, 0) + 1
            self._kit.queue.add(site, cause)

    def _call(self, done: str, *, recovered: bool = False) -> None:
        """A site is done, or gone, or well again: whose turn has come by that is due, and judged anew."""
        for change in self._changes.values():
            if done in change.left and not (recovered and done in change.pending):
                self._due(change.without(done), "its turn has come")


def _standing(status: SiteStatus) -> _Standing:
    rollout = status.rollout
    return _Standing(
        status.digest,
        status.ready,
        status.failures,
        status.phase in _AWAY,
        rollout is not None and rollout.state in _FAILED and rollout.digest in rollout.quarantined,
    )


def _member(spec: SiteSpec, standing: _Standing | None, had: _Had, *, pending: bool) -> Member:
    """A site as the order sees it. One that has the change fails with it if it does not stay well."""
    if standing is None:
        failed = False
    elif pending:
        failed = standing.taken_back or standing.failures > 0
    else:
        failed = standing.failures > 0 and standing.digest == had.verified
    return Member(spec.name, spec.labels, pending, failed)
