"""One who counts who is out of service by OttO's hand, and sees what is changed under visitors.

It shares no code with what decides about batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.host import Host
from otto.model.infrastructure import InfrastructurePlan
from otto.model.observed import InfrastructureState
from otto.model.progress import Report
from otto.model.spec import Role
from otto.testing import SimHost, World
from otto.testing.configuration import MemoryConfiguration
from otto.testing.infrastructure import MemoryInfrastructure

# Seconds in which nobody need have noticed what happened to a server, or that it is over.
UNNOTICED = 10.0


@dataclass
class Turnstile:
    """Watches the web servers of one site.

    Attributes:
        world: where they are.
        site: whose they are.
        wanted: how many there are to be.
        most: how many may be out of service at once.
        broken: what went against that, in words.
        harmed: server -> when something happened to it.
        aside: servers that were taken out, and did not come back.
        changed: how often something was changed that visitors would have noticed.
    """

    world: World
    site: str
    broken: list[str]
    wanted: int = 3
    most: int = 1
    harmed: dict[str, float] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    changed: int = 0

    def settle_in(self) -> None:
        """Take the places from which everything can be seen."""
        self.world.configuration = WatchedConfiguration(self)
        self.world.infrastructure = WatchedInfrastructure(self)

    def in_service(self) -> frozenset[str]:
        """Names of the servers that visitors are sent to, by every balancer that is there."""
        sent = [
            {backend.name for backend in host.backends} - host.disabled
            for host in self._of(Role.BALANCER)
            if host.serves
        ]
        well = {host.name for host in self._of(Role.WEB) if host.serves and host.revision is not None}
        return frozenset(well.intersection(*sent)) if sent else frozenset()

    def takes_out(self, servers: Sequence[str]) -> None:
        """Servers are about to be set aside."""
        serving = self.in_service()
        taken = serving & frozenset(servers) - self.aside
        names = {f"{self.site}-web-{number}" for number in range(1, self.wanted + 1)}
        out = {name for name in names - serving if self._is_known(name)}
        if taken and len(taken) + len(out) > self.most:
            self._break(f"{sorted(taken)} taken out, and {sorted(out)} are out of service")
        self.aside |= set(servers)

    def changes(self, name: str, what: str) -> None:
        """Something is about to become of a server that its visitors would notice."""
        self.changed += 1
        serving = self.in_service()
        # A balancer that did not answer was not told to send nobody to it.
        told = all(self._is_known(host.name) for host in self._of(Role.BALANCER))
        if name in serving and serving - {name} and self._is_known(name) and told:
            self._break(f"{what} of {name} under its visitors")

    def _is_known(self, name: str) -> bool:
        at = self.harmed.get(name)
        return at is None or self.world.clock.monotonic() - at > UNNOTICED

    def _of(self, role: Role) -> Iterator[SimHost]:
        return (host for host in self.world.hosts if (host.site, host.role) == (self.site, role))

    def _break(self, words: str) -> None:
        self.broken.append(f"{self.world.clock.now():%H:%M:%S} {words}")


class WatchedConfiguration(MemoryConfiguration):
    """Plays and rotations that are watched."""

    def __init__(self, turnstile: Turnstile) -> None:
        super().__init__(turnstile.world.hosts, turnstile.world.clock)
        self._turnstile = turnstile

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        for host in request.hosts:
            sim = self._turnstile.world.hosts.get(host.id)
            if sim is not None and sim.role is Role.WEB and sim.revision is not None:
                for what in _told(sim, request):
                    self._turnstile.changes(sim.name, what)
        return await super().configure(request, report)

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        self._turnstile.takes_out(servers)
        return await super().set_aside(balancers, servers, timeout, report)

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> None:
        await super().bring_back(balancers, servers, timeout, report)
        self._turnstile.aside -= set(servers)


class WatchedInfrastructure(MemoryInfrastructure):
    """Applies that are watched."""

    def __init__(self, turnstile: Turnstile) -> None:
        super().__init__(turnstile.world.hosts)
        self._turnstile = turnstile

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        for change in plan.changes:
            renewed, sized = (
                "delete" in change.verbs,
                change.verbs == ("update",) and "size" in change.changed,
            )
            if (renewed or sized) and "-web-" in change.host:
                self._turnstile.changes(change.host, "replacement" if renewed else "another size")
        return await super().apply(plan, report)


def _told(sim: SimHost, request: ConfigurationRequest) -> Iterator[str]:
    """What a play makes of a server that another wish has, in words."""
    if request.archive is not None and request.revision != sim.revision:
        yield "content"
    if sim.domains and request.domains != sim.domains:
        yield "configuration"
