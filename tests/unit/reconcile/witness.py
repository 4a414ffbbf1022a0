"""One who knows what people said, sees what is taken away, and compares: it shares no code with the guard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.history import OTTO, AuditEntry, AuditRecord, Grant, GrantKind
from otto.model.infrastructure import InfrastructurePlan
from otto.model.observed import Applied, InfrastructureState
from otto.model.progress import Report
from otto.model.run import Run
from otto.model.spec import Provider, Role, SiteSpec, Tombstone
from otto.testing import SimHost, World
from otto.testing.configuration import MemoryConfiguration
from otto.testing.infrastructure import MemoryInfrastructure
from otto.testing.ledger import MemoryLedger
from otto.testing.store import MemoryStore

# Between a judgement and the end of what it let happen.
LONGEST = timedelta(seconds=60)
# What is said while a judgement is being made may or may not be in it.
SLACK = timedelta(seconds=1)
# A host that something happened to is taken for dead for a while after that is over.
RECOVERY = timedelta(seconds=90)


@dataclass
class Word:
    """Something that somebody said, and when it was taken back."""

    grant: Grant
    ended: datetime | None = None
    used_by: object = None
    wish: object = None
    renewed: frozenset[str] = frozenset()

    def holds(self, at: datetime, *, slack: timedelta) -> bool:
        """Whether it holds then; with slack, or held shortly before."""
        ends = [end for end in (self.ended, self.grant.until) if end is not None]
        return self.grant.at <= at and all(at - slack < end for end in ends)


@dataclass(frozen=True)
class Judgement:
    """A verdict as it went on record, and what was in force then."""

    at: datetime
    site: str
    plan: str
    allowed: bool
    commit: str
    spec: SiteSpec | None
    protected: bool
    life: object


@dataclass(frozen=True)
class Wished:
    """What a commit says."""

    specs: Mapping[str, SiteSpec]
    stones: Mapping[str, Tombstone]


@dataclass(frozen=True)
class Loss:
    """What became of a site's living hosts: names of those that are gone, and of those made anew."""

    gone: frozenset[str]
    renewed: frozenset[str]

    @classmethod
    def between(cls, before: Mapping[str, str], after: Mapping[str, str]) -> "Loss":
        lost = {name for name, host in before.items() if after.get(name) != host}
        return cls(frozenset(lost - after.keys()), frozenset(lost & after.keys()))

    def __bool__(self) -> bool:
        return bool(self.gone or self.renewed)


@dataclass
class Witness:
    """Knows what people said and what is in force; whatever is taken away is held against it.

    Attributes:
        world: what it watches.
        broken: what went against the laws, in words.
        in_force: the commit that the controller has read, the last good spec of a site, and whose life it is.
    """

    world: World
    broken: list[str]
    in_force: Callable[[str], tuple[str, SiteSpec | None, object]]
    commits: dict[str, Wished] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    intents: dict[str, Word] = field(default_factory=dict)
    judged: list[Judgement] = field(default_factory=list)
    protected: dict[str, bool] = field(default_factory=dict)
    born: dict[str, datetime] = field(default_factory=dict)
    harmed: dict[str, datetime] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    anew: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def settle_in(self) -> None:
        """Take the places from which everything can be seen."""
        world = self.world
        world.infrastructure = SeenInfrastructure(world, self)
        world.ledger = SeenLedger(self)
        world.store = SeenStore(world.ledger, self)
        world.configuration = SeenConfiguration(world, self)

    def says(self, grant: Grant) -> None:
        """Somebody says something."""
        self._end(lambda word: word.grant.key == grant.key)
        self.words.append(Word(grant))

    def takes_back(self, chosen: Callable[[Grant], bool]) -> None:
        """Something is said no more."""
        self._end(lambda word: chosen(word.grant))

    def wants_destroyed(self, site: str, *, on: bool) -> None:
        """A person wants a site destroyed, or does no more."""
        before = self.intents.get(site)
        if on and (before is None or before.ended is not None):
            self.intents[site] = Word(Grant(GrantKind.APPROVE, site, "ada", self.now))
        elif not on and before is not None and before.ended is None:
            before.ended = self.now

    def _end(self, chosen: Callable[[Word], bool]) -> None:
        for word in self.words:
            if word.ended is None and chosen(word):
                word.ended = self.now

    def living(self, site: str) -> dict[str, str]:
        """Name -> id of the hosts in a site's state that are alive and answer, and have for a while."""
        return {host.name: host.id for host in self.world.hosts if host.site == site and self._sound(host)}

    def _sound(self, host: SimHost) -> bool:
        at = self.harmed.get(host.id)
        return host.serves and host.answers and (at is None or self.now - at > RECOVERY)

    def heard(self, entry: AuditEntry) -> None:
        """A verdict goes on record."""
        if entry.what == "verdict":
            commit, last, life = self.in_force(entry.site)
            wished = self.commits.get(commit, Wished({}, {}))
            spec = wished.specs.get(entry.site)
            spec = last if spec is None or entry.site in wished.stones else spec
            allowed = entry.detail["verdict"] == "Allowed"
            protected = self.protected.get(entry.site, False)
            self.judged.append(
                Judgement(self.now, entry.site, entry.plan, allowed, commit, spec, protected, life)
            )

    def begin(self, site: str, what: str) -> Judgement | None:
        """Something is carried out: the verdict on record for it has to be Allowed."""
        run = self._run(site)
        found = [item for item in self.judged if run and (item.site, item.plan) == (site, run.plan)]
        if not found or not found[-1].allowed or self.now - found[-1].at > LONGEST:
            self._break(f"{what} of {site} has no verdict of its own that allows it: {found[-1:]}")
            return None
        return found[-1]

    def lost(self, site: str, loss: Loss, judged: Judgement | None, *, whole: bool) -> None:
        """Living hosts went: somebody has to have allowed it."""
        if not loss or judged is None:
            return
        self.taken.append(f"{site}: -{sorted(loss.gone)} ~{sorted(loss.renewed)}")
        told = f"{sorted(loss.gone)} gone and {sorted(loss.renewed)} renewed, judged {judged}"
        if self._frozen(judged):
            self._break(f"taken while frozen: {told}")
        approvals = self._approvals(judged, loss)
        undone = self._undone(judged, loss)
        ended = self._ended(loss, judged.spec, whole=whole)
        policy = judged.spec.policy if judged.spec else None
        if ended and policy and policy.protect and not undone:
            self._break(f"taken although protected: {told}")
        if ended and judged.protected and not approvals:
            self._break(f"taken in the step that takes the protection away: {told}")
        asked = policy is not None and policy.approval == "always" and not whole
        if asked or not (self._wanted_away(judged) if whole else self._by_policy(ended, judged)):
            if (not approvals and not undone) or whole:
                self._break(f"nobody allowed it: {told}")
            for word in approvals:
                word.used_by, word.wish = judged.life, _hosts(judged.spec)
                word.renewed |= loss.renewed
        if undone:
            self.anew[site] = self.anew.get(site, frozenset()) - loss.renewed
        else:
            self.anew[site] = self.anew.get(site, frozenset()) | loss.renewed

    def _undone(self, judged: Judgement, loss: Loss) -> bool:
        """Whether all that goes was made anew by a rollout that is taken back."""
        held = self._of(GrantKind.QUARANTINE, judged, slack=SLACK)
        return bool(held) and not loss.gone and loss.renewed <= self.anew.get(judged.site, frozenset())

    def applied(self, site: str, applied: Applied) -> None:
        """The loop notes what is applied: a flag of protection goes only when nothing else does."""
        spec = applied.desired.spec if applied.desired else None
        protect = spec is not None and spec.policy.protect
        if self.protected.get(site) and spec is not None and not protect:
            names = {name for role in Role for name in spec.host_names(role)}
            images = {role: self.world.images.ids[spec.group(role).image] for role in Role}
            for host in self.world.hosts:
                if host.name in names and self._sound(host) and host.image != images[host.role]:
                    self._break(f"{site} counts as applied without protection, and {host.name} is not so")
        self.protected[site] = protect

    def _ended(self, loss: Loss, spec: SiteSpec | None, *, whole: bool) -> frozenset[str]:
        """Those destroyed or made anew; a host that the spec wants no more is scaled in."""
        wanted = {name for role in Role for name in spec.host_names(role)} if spec else set()
        return loss.renewed | (loss.gone if whole else loss.gone & wanted)

    def _by_policy(self, ended: frozenset[str], judged: Judgement) -> bool:
        return not ended or (judged.spec is not None and judged.spec.policy.approval == "auto")

    def _wanted_away(self, judged: Judgement) -> bool:
        """Whether a tombstone, a person or the time says that the site goes."""
        stone = self.commits[judged.commit].stones.get(judged.site) if judged.commit else None
        if stone is not None and (stone.at is None or stone.at <= judged.at):
            return True
        intent = self.intents.get(judged.site)
        if intent is not None and intent.holds(judged.at, slack=SLACK):
            return True
        end = self._death(judged)
        return end is not None and end <= judged.at

    def _death(self, judged: Judgement) -> datetime | None:
        policy, born = (judged.spec.policy if judged.spec else None), self.born.get(judged.site)
        if policy is None or policy.ttl is None or born is None:
            return None
        longer = self._of(GrantKind.EXTEND, judged, slack=timedelta())
        return max([born + timedelta(seconds=policy.ttl), *(w.grant.until for w in longer if w.grant.until)])

    def _frozen(self, judged: Judgement) -> bool:
        found = self._of(GrantKind.FREEZE, judged, slack=timedelta())
        return any(word.grant.at < judged.at - SLACK for word in found)

    def _approvals(self, judged: Judgement, loss: Loss) -> list[Word]:
        """Approvals by as many people as are needed, each host made anew at most once by them; or none.

        They are of this very plan, or of an earlier one for the same hosts, which this one is the rest of.
        """
        policy = judged.spec.policy if judged.spec else None
        longest = timedelta(seconds=policy.approval_expiry if policy else 86400)
        found = [
            word
            for word in self._of(GrantKind.APPROVE, judged, slack=SLACK)
            if (
                word.grant.plan == judged.plan or (word.wish is not None and word.wish == _hosts(judged.spec))
            )
            and not (word.used_by is judged.life and word.renewed & loss.renewed)
            and judged.at - word.grant.at <= longest + SLACK
        ]
        people = {word.grant.by.casefold() for word in found}
        return found if len(people) >= (policy.approvers if policy else 1) else []

    def _of(self, kind: GrantKind, judged: Judgement, *, slack: timedelta) -> list[Word]:
        return [
            word
            for word in self.words
            if word.grant.kind is kind
            and word.grant.site in ("", judged.site)
            and word.holds(judged.at, slack=slack)
        ]

    def _run(self, site: str) -> Run | None:
        runs = [run for run in self.world.store._runs.values() if run.site == site]
        return max(runs, key=lambda run: (run.started_at, run.id), default=None)

    def _break(self, words: str) -> None:
        self.broken.append(f"{self.now:%H:%M:%S} {words}")


def _hosts(spec: SiteSpec | None) -> object:
    """What a spec says of hosts: whoever approved that approved all of it."""
    return (spec.web, spec.balancer, spec.provider) if spec else None


class SeenInfrastructure(MemoryInfrastructure):
    """Servers that a witness watches."""

    def __init__(self, world: World, witness: Witness) -> None:
        super().__init__(world.hosts, world.infrastructure._owner)
        self._witness = witness

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        site, before = plan.site, self._witness.living(plan.site)
        judged = self._witness.begin(site, "apply")
        try:
            return await super().apply(plan, report)
        finally:
            after = self._after(site)
            self._witness.lost(site, Loss.between(before, after), judged, whole=False)
            if after:
                self._witness.born.setdefault(site, self._witness.now)

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        before = self._witness.living(site)
        judged = self._witness.begin(site, "destroy")
        await super().destroy(site, provider, report)
        self._witness.lost(site, Loss.between(before, self._after(site)), judged, whole=True)
        self._witness.born.pop(site, None)

    def _after(self, site: str) -> dict[str, str]:
        return {host.name: host.id for host in self._hosts if host.site == site}


class SeenConfiguration(MemoryConfiguration):
    """Plays that a witness watches."""

    def __init__(self, world: World, witness: Witness) -> None:
        super().__init__(world.hosts, world.clock)
        self._witness = witness

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        self._witness.begin(request.site, request.kind.value)
        return await super().configure(request, report)


class SeenLedger(MemoryLedger):
    """A ledger that a witness reads along; OttO's own freezes are words like anybody's."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    async def append(self, entry: AuditEntry) -> AuditRecord:
        record = await super().append(entry)
        self._witness.heard(entry)
        return record

    async def grant(self, grant: Grant) -> None:
        await super().grant(grant)
        if grant.kind is GrantKind.FREEZE or grant.by == OTTO:
            self._witness.says(grant)

    async def revoke(self, grant: Grant) -> bool:
        self._witness.takes_back(lambda item: item.key == grant.key)
        return await super().revoke(grant)

    def forget(self, site: str) -> None:
        self._witness.takes_back(lambda item: item.site == site)
        super().forget(site)


class SeenStore(MemoryStore):
    """A store that a witness reads along."""

    def __init__(self, ledger: MemoryLedger, witness: Witness) -> None:
        super().__init__(ledger=ledger)
        self._witness = witness

    async def save_applied(self, site: str, applied: Applied) -> None:
        self._witness.applied(site, applied)
        await super().save_applied(site, applied)

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        await super().set_intent(site, intent, on=on)
        if intent == "destroy" and not on:
            self._witness.wants_destroyed(site, on=False)

    async def forget(self, site: str) -> None:
        await super().forget(site)
        self._witness.protected.pop(site, None)
        self._witness.wants_destroyed(site, on=False)
