"""OttO's memory, in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.observed import Applied
from otto.model.register import Place
from otto.model.rollout import RolloutStatus
from otto.model.run import Outcome, Run
from otto.model.status import SiteStatus
from otto.model.zonememory import ZoneMemory
from otto.testing.failures import Failures
from otto.testing.imageindex import MemoryImageIndex
from otto.testing.ledger import MemoryLedger
from otto.testing.pipelines import MemoryPipelines
from otto.testing.register import MemoryRegister, narrowed
from otto.testing.tokens import MemoryTokens


class MemoryStore:
    """Port `Store` without a database. `failures` makes any of its methods raise.

    Args:
        ledger: what the guard remembers; a new one when none is given.
        keep_runs: ended runs, and ended pipelines, that are kept per site.
    """

    def __init__(self, *, ledger: MemoryLedger | None = None, keep_runs: int = 200) -> None:
        self.ledger = ledger or MemoryLedger()
        self.images = MemoryImageIndex()
        self.pipelines = MemoryPipelines(keep=keep_runs)
        self.tokens = MemoryTokens()
        self._keep_runs = keep_runs
        self._statuses: dict[str, SiteStatus] = {}
        self._runs: dict[str, Run] = {}
        self._applied: dict[str, Applied] = {}
        self._remembered: dict[str, RememberedSpec] = {}
        self._domains: dict[str, RememberedDomain] = {}
        self._zones: dict[str, ZoneMemory] = {}
        self._rollouts: dict[str, RolloutStatus] = {}
        self._intents: defaultdict[str, set[str]] = defaultdict(set)
        self._notes: dict[str, str] = {}
        self.failures = Failures()
        self.register = MemoryRegister(
            self._statuses,
            self._remembered,
            self._domains,
            lambda site: frozenset(self._intents.get(site, ())),
        )
        self.ledger.labels = self.register.labels
        self.pipelines.labels = self.register.labels

    def read_here(self) -> None:
        """Whoever asks is answered at once anyway."""

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""
        self.failures.strike("status")
        return self._statuses.get(site)

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""
        self.failures.strike("statuses")
        return tuple(self._statuses[site] for site in sorted(self._statuses))

    async def save_status(self, status: SiteStatus) -> None:
        """Keep a status."""
        self.failures.strike("save_status")
        self._statuses[status.site] = status
        self.register.renew(status.site)

    async def save_run(self, run: Run) -> None:
        """Keep a run, replacing what was kept of it; an ended one pushes the oldest of its site out."""
        self.failures.strike("save_run")
        self._runs[run.id] = run
        if run.ended_at is not None:
            for old in self._newest(run.site)[self._keep_runs :]:
                if old.ended_at is not None:
                    del self._runs[old.id]

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""
        self.failures.strike("run")
        return self._runs.get(run_id)

    async def runs(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
        before: Place | None = None,
    ) -> tuple[Run, ...]:
        """Runs, newest first."""
        self.failures.strike("runs")
        meant = narrowed(site, labels, self.register.labels)
        found = [run for run in self._newest(site) if meant(run.site) and outcome in (None, run.outcome)]
        if before is not None:
            found = [run for run in found if (run.started_at, run.id) < (before.at, before.id)]
        return tuple(found[:limit])

    async def open_runs(self) -> tuple[Run, ...]:
        """Runs that never ended, newest first."""
        self.failures.strike("open_runs")
        return tuple(run for run in self._newest(None) if run.ended_at is None)

    async def applied(self, site: str) -> Applied:
        """What OttO put in place last; empty when nothing."""
        self.failures.strike("applied")
        return self._applied.get(site, Applied())

    async def save_applied(self, site: str, applied: Applied) -> None:
        """Keep what was put in place."""
        self.failures.strike("save_applied")
        self._applied[site] = applied

    async def rollout(self, site: str) -> RolloutStatus:
        """The site's last rollout, and its quarantined wishes; an empty one before the first."""
        self.failures.strike("rollout")
        return self._rollouts.get(site, RolloutStatus(site))

    async def save_rollout(self, rollout: RolloutStatus) -> None:
        """Keep how a rollout stands."""
        self.failures.strike("save_rollout")
        self._rollouts[rollout.site] = rollout

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""
        self.failures.strike("remembered")
        return {site: self._remembered[site] for site in sorted(self._remembered)}

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""
        self.failures.strike("spec")
        return self._remembered.get(site)

    async def remember(self, specs: Sequence[RememberedSpec]) -> None:
        """Keep last good specs."""
        self.failures.strike("remember")
        for one in specs:
            self._remembered[one.spec.name] = one
            self.register.renew(one.spec.name)

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""
        self.failures.strike("domain")
        return self._domains.get(zone)

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of every zone."""
        self.failures.strike("remembered_domains")
        return {zone: self._domains[zone] for zone in sorted(self._domains)}

    async def remember_domains(self, specs: Sequence[RememberedDomain]) -> None:
        """Keep last good specs of zones."""
        self.failures.strike("remember_domains")
        for one in specs:
            self._domains[one.spec.name] = one
            self.register.renew(one.spec.name)

    async def zones(self) -> Mapping[str, ZoneMemory]:
        """What is remembered of every zone."""
        self.failures.strike("zones")
        return {zone: self._zones[zone] for zone in sorted(self._zones)}

    async def save_zone(self, memory: ZoneMemory) -> None:
        """Keep what is to be remembered of a zone."""
        self.failures.strike("save_zone")
        self._zones[memory.zone] = memory

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""
        self.failures.strike("intents")
        return frozenset(self._intents[site])

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""
        self.failures.strike("set_intent")
        (self._intents[site].add if on else self._intents[site].discard)(intent)
        self.register.renew(site)

    async def value(self, key: str) -> str | None:
        """A small value by key."""
        self.failures.strike("value")
        return self._notes.get(key)

    async def set_value(self, key: str, value: str) -> None:
        """Keep a small value."""
        self.failures.strike("set_value")
        self._notes[key] = value

    async def forget(self, site: str) -> None:
        """Drop all but the history of a site that is destroyed."""
        self.failures.strike("forget")
        of_sites = (self._statuses, self._applied, self._remembered, self._intents, self._rollouts)
        for kept in (*of_sites, self._domains, self._zones):
            kept.pop(site, None)
        self.ledger.forget(site)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _newest(self, site: str | None) -> list[Run]:
        chosen = (run for run in self._runs.values() if site in (None, run.site))
        return sorted(chosen, key=lambda run: (run.started_at, run.id), reverse=True)
