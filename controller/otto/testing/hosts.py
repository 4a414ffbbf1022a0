"""Simulated hosts, and the place they stand in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from otto.model.canonical import digest
from otto.model.host import HostFacts, HostState
from otto.model.spec import Algorithm, Role
from otto.ports import Clock

FACT = digest("the fact script")
SERVICE = {Role.WEB: "nginx", Role.BALANCER: "haproxy"}


@dataclass(frozen=True, slots=True)
class Backend:
    """A web server as a balancer's configuration names it."""

    name: str
    address: str
    port: int


@dataclass(slots=True)
class SimHost:
    """A host: what its provider knows, what runs on it, what it serves.

    Change it as an intruder would; the next look finds out.

    Attributes:
        owner: whose label it carries.
        answers: whether sshd and the fact script answer while the host runs.
        files: managed file -> digest of what is in it.
        services: unit -> systemd's active state.
        damage: paths of the site's content that were edited by hand -> what they say now.
    """

    id: str
    name: str
    site: str
    role: Role
    image: str
    size: str
    address: str
    owner: str
    started_at: datetime
    state: HostState = HostState.RUNNING
    answers: bool = True
    fact: str = FACT
    files: dict[str, str | None] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    configuration: str | None = None
    revision: str | None = None
    damage: dict[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    algorithm: Algorithm = Algorithm.ROUNDROBIN
    backends: tuple[Backend, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether its service takes connections."""
        return self.state is HostState.RUNNING and self.services.get(SERVICE[self.role]) == "active"

    @property
    def content(self) -> str | None:
        """Digest of the files it serves, None before the first deployment."""
        return None if self.revision is None else digest([self.revision, self.damage])

    def facts(self, up: frozenset[str]) -> HostFacts:
        """What it says of itself; `up` names the web servers that serve."""
        states = {backend.name: "UP" if backend.name in up else "DOWN" for backend in self.backends}
        return HostFacts(
            self.fact,
            dict(self.files),
            dict(self.services),
            self.configuration,
            self.revision,
            self.content,
            states if self.serves else {},
        )


class Hosts:
    """All simulated hosts. Addresses are 10.203.0.2 and up, each used once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_id: dict[str, SimHost] = {}
        self._made = 0

    def __iter__(self) -> Iterator[SimHost]:
        return iter(sorted(self._by_id.values(), key=lambda host: (host.name, host.id)))

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, name: str) -> SimHost:
        return next(host for host in self if host.name == name)

    def get(self, host_id: str) -> SimHost | None:
        """The host of that id, None when it is gone."""
        return self._by_id.get(host_id)

    def named(self, name: str) -> SimHost | None:
        """The host of that name, None when there is none."""
        return next((host for host in self if host.name == name), None)

    def at(self, address: str) -> SimHost | None:
        """The host with that address, None when there is none."""
        return next((host for host in self if host.address == address), None)

    def up(self) -> frozenset[str]:
        """Names of the hosts that serve."""
        return frozenset(host.name for host in self if host.serves)

    def make(self, name: str, site: str, role: Role, *, image: str, size: str, owner: str) -> SimHost:
        """Make a bare host, as a provider would; by hand, it is one that the state does not know."""
        self._made += 1
        host_id = digest(["host", self._made])[:12]
        address = f"10.203.{self._made // 250}.{self._made % 250 + 1}"
        host = SimHost(host_id, name, site, role, image, size, address, owner, self._clock.now())
        self._by_id[host_id] = host
        return host

    def start(self, name: str) -> None:
        """Start a stopped host, or let a paused one go on; what was enabled runs again."""
        host = self[name]
        if host.state is HostState.STOPPED:
            host.started_at = self._clock.now()
            host.services = dict.fromkeys(host.services, "active")
        host.state = HostState.RUNNING

    def kill(self, name: str) -> None:
        """Stop a host without warning."""
        self[name].state = HostState.STOPPED

    def pause(self, name: str) -> None:
        """Freeze a host: it keeps its address and answers nothing."""
        self[name].state = HostState.PAUSED

    def remove(self, name: str) -> None:
        """Let a host vanish with all it had."""
        del self._by_id[self[name].id]
