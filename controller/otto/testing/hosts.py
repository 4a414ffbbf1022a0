"""Simulated hosts, and the place they stand in."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from otto.decide.hosts import ID as DECLARED
from otto.model.canonical import digest
from otto.model.errors import TransientError
from otto.model.host import HostEvent, HostEventKind, HostFacts, HostState
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
        cut: whether its network is cut off, which its provider does not see.
        answers: whether sshd and the fact script answer while the host is reachable.
        files: managed file -> digest of what is in it.
        services: unit -> systemd's active state.
        damage: paths of the site's content that were edited by hand -> what they say now.
        disabled: on a balancer, servers that were set aside, or disabled by hand; a reload forgets them.
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
    cut: bool = False
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
    disabled: set[str] = field(default_factory=set)

    @property
    def reachable(self) -> bool:
        """Whether anything on it can be talked to."""
        return self.state is HostState.RUNNING and not self.cut

    @property
    def serves(self) -> bool:
        """Whether its service takes connections from outside."""
        return self.reachable and self.services.get(SERVICE[self.role]) == "active"

    @property
    def content(self) -> str | None:
        """Digest of the files it serves, None before the first deployment."""
        return None if self.revision is None else digest([self.revision, self.damage])

    def facts(self, up: frozenset[str]) -> HostFacts:
        """What it says of itself; `up` names the web servers that serve."""
        return HostFacts(
            self.fact,
            dict(self.files),
            dict(self.services),
            self.configuration,
            self.revision,
            self.content,
            self.servers(up) if self.serves else {},
        )

    def servers(self, up: frozenset[str]) -> dict[str, str]:
        """What a balancer's statistics say of its servers; `up` names those that serve."""
        states = {backend.name: "UP" if backend.name in up else "DOWN" for backend in self.backends}
        return states | {name: "MAINT" for name in states if name in self.disabled}


class Hosts:
    """All simulated hosts. Addresses are 10.203.0.2 and up, each used once.

    What happens to them is told to everybody who iterates `events`, as a provider would tell it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[tuple[str, asyncio.Queue[HostEvent | None]]] = []
        self._by_id: dict[str, SimHost] = {}
        self._made = 0

    def __iter__(self) -> Iterator[SimHost]:
        return iter(sorted(self._by_id.values(), key=lambda host: (host.name, host.id)))

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, name: str) -> SimHost:
        return next(host for host in self if host.name == name)

    def get(self, host_id: str) -> SimHost | None:
        """The host of that id, None when it is gone; that of a declared one names it."""
        if host_id.startswith(DECLARED):
            return self.named(host_id.removeprefix(DECLARED).partition(":")[0])
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
        self._tell(host, HostEventKind.STARTED)
        return host

    def place(self, name: str, role: Role = Role.WEB) -> SimHost:
        """A bare machine that is nobody's, for a person to declare; no provider lists it."""
        return self.make(name, "", role, image="", size="", owner="")

    def start(self, name: str) -> None:
        """Start a stopped host, or let a paused one go on; what was enabled runs again."""
        host = self[name]
        if host.state is HostState.STOPPED:
            host.started_at = self._clock.now()
            host.services = dict.fromkeys(host.services, "active")
            host.state = HostState.RUNNING
            self._tell(host, HostEventKind.STARTED)
        elif host.state is HostState.PAUSED:
            host.state = HostState.RUNNING
            self._tell(host, HostEventKind.RESUMED)

    def kill(self, name: str) -> None:
        """Stop a host without warning."""
        self[name].state = HostState.STOPPED
        self._tell(self[name], HostEventKind.DIED)

    def pause(self, name: str) -> None:
        """Freeze a host: it keeps its address and answers nothing."""
        self[name].state = HostState.PAUSED
        self._tell(self[name], HostEventKind.PAUSED)

    def remove(self, name: str) -> None:
        """Let a host vanish with all it had."""
        host = self._by_id.pop(self[name].id)
        if host.state is not HostState.STOPPED:
            self._tell(host, HostEventKind.DIED)
        self._tell(host, HostEventKind.REMOVED)

    def cut(self, name: str) -> None:
        """Cut a host's network off: its provider calls it running, and nothing answers. No event comes."""
        self[name].cut = True

    def join(self, name: str) -> None:
        """Put a host's network back."""
        self[name].cut = False

    async def events(self, owner: str) -> AsyncGenerator[HostEvent]:
        """What happens, from the first step of the iteration on, to hosts with this owner's label.

        Raises:
            TransientError: the connection ended (`hang_up`).
        """
        heard: asyncio.Queue[HostEvent | None] = asyncio.Queue()
        listener = (owner, heard)
        self._listeners.append(listener)
        try:
            while event := await heard.get():
                yield event
        finally:
            self._listeners.remove(listener)
        raise TransientError("the provider's stream of events ended")

    def hang_up(self) -> None:
        """End every stream of events."""
        for _, listener in self._listeners:
            listener.put_nowait(None)

    def _tell(self, host: SimHost, kind: HostEventKind) -> None:
        event = HostEvent(host.site, host.name, host.id, kind, self._clock.now())
        for owner, listener in self._listeners:
            if owner == host.owner:
                listener.put_nowait(event)
