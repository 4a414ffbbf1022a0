"""A story in which people push, say things and break things, under the eyes of a witness."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from otto.decide import audit
from otto.model.errors import UsageError
from otto.model.history import Grant, GrantKind
from otto.model.policy import Policy
from otto.model.run import Outcome
from otto.model.saying import Speaker
from otto.model.spec import Provider, SiteSpec, Tombstone
from otto.model.status import Phase
from otto.model.strategy import Rollout
from otto.testing import site_spec, spec_text

from .rollouts import WORKS, word
from .story import PATIENCE, Story
from .witness import Wished, Witness

T = TypeVar("T")

SITES = ("one", "two", "three")
PEOPLE = ("ada", "grace")
STEPS = Rollout(soak=1.0)
# What a run is about to do it has been allowed to.
_ACTS = frozenset({"provision", "configure", "deploy", "destroy"})


@dataclass
class GuardedStory(Story):
    """One world, a controller at a time over it, people, and a witness.

    Attributes:
        waited: site -> digests of the plans that ever waited.
    """

    waited: dict[str, list[str]] = field(default_factory=dict)
    stones: dict[str, Tombstone] = field(default_factory=dict)
    poll: float = 3.0
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        self.witness = Witness(self.world, self.laws.broken, self._in_force)
        self.witness.settle_in()

    def _in_force(self, site: str) -> tuple[str, SiteSpec | None, object]:
        assert self.process is not None
        fleet = self.process.controller.fleet
        last = fleet.last_good(site)
        return fleet.catalogue.commit, last.spec if last else None, self.process.life

    def change(
        self, specs: Mapping[str, SiteSpec | None], stones: Mapping[str, Tombstone | None] | None = None
    ) -> None:
        """Commit specs and tombstones; None takes one away. A controller that runs finds them by itself."""
        _keep(self.specs, specs)
        _keep(self.stones, stones or {})
        files: dict[str, str | bytes | None] = {}
        for name, spec in specs.items():
            files[f"specs/{name}.yaml"] = spec_text(spec) if spec else None
        for name, stone in (stones or {}).items():
            files[f"specs/{name}-tombstone.yaml"] = spec_text(stone) if stone else None
        for name in specs:
            if not self.world.source.has(f"sites/{name}/index.html"):
                files[f"sites/{name}/index.html"] = "<h1>It works</h1>"
        commit = self.world.source.commit(files)
        self.witness.commits[commit] = Wished(dict(self.specs), dict(self.stones))

    def spec(self, site: str) -> SiteSpec:
        """The site's spec as it is, or the one it begins with."""
        return self.specs.get(site) or first_spec(site)

    def harm(self, host_id: str) -> None:
        """Something happens to a host, which may count as dead from now on."""
        self.witness.harmed[host_id] = self.world.clock.now()

    def waiting(self, site: str) -> str:
        """Digest of the site's plan that waits, "" for none."""
        status = self.world.store._statuses.get(site)
        plan = status.plan if status else ""
        if plan and plan not in self.waited.setdefault(site, []):
            self.waited[site].append(plan)
        return plan

    async def say(self, kind: GrantKind, site: str, by: str = "ada", **more: object) -> None:
        """Somebody says something; of what ada says, the controller hears at once."""
        grant = Grant(kind, site, by, self.world.clock.now(), **more)  # type: ignore[arg-type]
        if kind is not GrantKind.FREEZE:
            self.witness.says(grant)
        await self.world.ledger.grant(grant)
        if by == "ada":
            self.tell(site)

    async def take_back(self, kind: GrantKind, plan: str = "", *, told: bool = True) -> None:
        """Everything of a kind that was said, of a plan if one is named, is said no more."""
        for grant in await self.world.ledger.grants(kind=kind):
            if grant.plan == plan:
                await self.world.ledger.revoke(grant)
        if told:
            self.tell("")

    async def approve(self, site: str, plan: str, by: str, seconds: float = 3600.0) -> None:
        """Somebody approves a plan; a rejection of it is taken back thereby."""
        await self.take_back(GrantKind.REJECT, plan, told=by == "ada")
        until = self.world.clock.now() + timedelta(seconds=seconds)
        await self.say(GrantKind.APPROVE, site, by, plan=plan, until=until)

    async def reject(self, site: str, plan: str) -> None:
        """Somebody rejects a plan; approvals of it are taken back thereby."""
        await self.take_back(GrantKind.APPROVE, plan)
        await self.say(GrantKind.REJECT, site, plan=plan)

    async def steer(self, what: str, site: str, by: str) -> None:
        """Somebody says something to the site's rollout, if it can be said."""
        who = Speaker(by, self.world.clock.now(), by)
        with suppress(UsageError):
            saying = await word(what, self.world, site, who)
            for grant in saying.taken:
                await self.world.ledger.revoke(grant)
            if saying.given is not None:
                await self.say(
                    saying.given.kind, site, by, plan=saying.given.plan, reason=saying.given.reason
                )
            self.tell(site)

    def write(self, site: str, page: str) -> None:
        """Commit another page of a site's content; its specs are as they were."""
        commit = self.world.source.commit({f"sites/{site}/index.html": page})
        self.witness.commits[commit] = Wished(dict(self.specs), dict(self.stones))

    async def destroy(self, site: str) -> None:
        """Somebody wants a site destroyed."""
        if self.world.store._statuses.get(site) is not None:
            self.witness.wants_destroyed(site, on=True)
            await self.world.store.set_intent(site, "destroy", on=True)
            self.tell(site)

    async def resume(self, site: str) -> None:
        """Somebody wants a site back."""
        for intent in ("destroy", "destroyed"):
            await self.world.store.set_intent(site, intent, on=False)
        self.tell(site)

    def tell(self, site: str) -> None:
        """The command line tells a controller that runs; of all sites with ""."""
        if self.process is not None and not self.process.life.dead.is_set():
            for name in (site,) if site else SITES:
                self.world.queue.add(name, "asked")

    async def pass_by(self, seconds: float) -> None:
        """See `Story`. A site that is told to be destroyed has nothing left."""
        await super().pass_by(seconds)
        for site, status in self.world.store._statuses.items():
            left = [host.name for host in self.world.hosts if host.site == site]
            if status.phase is Phase.DESTROYED and left:
                self.laws.broken.append(f"{site} is told to be destroyed, and has {left}")

    async def settle_all(self) -> None:
        """People want all sites back as they last asked for them, and say yes to everything."""
        if self.process is None:
            self.start()
        for site in SITES:
            await self.resume(site)
        await self.take_back(GrantKind.FREEZE)
        wanted: dict[str, SiteSpec] = {}
        for site in SITES:
            spec = self.spec(site)
            web = replace(spec.web, count=max(spec.web.count, 1))
            wanted[site] = replace(spec_without_policy(spec), web=web, provider=Provider.LAB)
        self.change(wanted, dict.fromkeys(SITES))
        self.write(SITES[0], WORKS)
        await self._until_ready()

    async def _until_ready(self) -> None:
        for host in self.world.hosts:
            host.cut, host.answers = False, True
        waited = 0.0
        while waited < 2 * PATIENCE:
            await self.pass_by(5.0)
            waited += 5.0
            if not await self.troubles():
                return
            await self.take_back(GrantKind.FREEZE, told=False)
            for grant in await self.world.ledger.grants():
                if grant.kind in (GrantKind.PAUSE, GrantKind.QUARANTINE):
                    await self.world.ledger.revoke(grant)
            for site in SITES:
                plan = self.waiting(site)
                there = await self.world.ledger.grants(site=site, kind=GrantKind.APPROVE)
                if plan and not any(
                    grant.plan == plan and grant.holds(self.world.clock.now()) for grant in there
                ):
                    await self.approve(site, plan, "grace")
        raise AssertionError(f"not at rest: {await self.troubles()}")

    async def check_records(self) -> None:
        """The chain is whole, and whatever was carried out has a verdict that allowed it."""
        log = self.world.ledger.log
        assert audit.broken(log) == ""
        allowed = {
            (record.entry.site, record.entry.plan)
            for record in log
            if record.entry.what == "verdict" and record.entry.detail["verdict"] == "Allowed"
        }
        for run in await self.world.store.runs(limit=10_000):
            if any(step.kind in _ACTS for step in run.steps):
                assert (run.site, run.plan) in allowed, run
            assert run.outcome is not Outcome.RUNNING


def first_spec(site: str) -> SiteSpec:
    """The spec that a site begins with: the first goes in steps, the others all at once."""
    return site_spec(site, rollout=STEPS) if site == SITES[0] else site_spec(site)


def _keep(kept: dict[str, T], changed: Mapping[str, T | None]) -> None:
    for name, document in changed.items():
        kept.pop(name, None)
        if document is not None:
            kept[name] = document


def spec_without_policy(spec: SiteSpec) -> SiteSpec:
    """The same site, under the policy that nobody chose."""
    return replace(spec, policy=Policy(), suspend=False)


def tomb(site: str, at: datetime | None = None) -> Tombstone:
    """A tombstone."""
    return Tombstone(site, "over", "ada", at)
