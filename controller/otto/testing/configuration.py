"""What runs on simulated hosts: plays and facts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from otto.model.canonical import digest
from otto.model.configuration import ConfigurationRequest, ConfigurationResult, HostOutcome, HostResult
from otto.model.errors import OttoError, TerminalError
from otto.model.host import Host, HostFacts, HostState
from otto.model.observed import Seen, Unseen
from otto.model.plan import StepKind
from otto.model.progress import Progress, Report
from otto.model.spec import Role
from otto.ports import Clock
from otto.testing.failures import Failures
from otto.testing.hosts import FACT, SERVICE, Backend, Hosts, SimHost
from otto.testing.rotation import MemoryRotation

ROLES = ("base", "nginx", "haproxy", "content")
FILES = {Role.WEB: "/etc/nginx/nginx.conf", Role.BALANCER: "/etc/haproxy/haproxy.cfg"}
COMMON = "/etc/ssh/sshd_config.d/otto.conf"


class MemoryConfiguration:
    """Port `Configuration` over simulated hosts.

    `failures` knows `configure` and `deploy` (the play as a whole), `configure:HOST` and `deploy:HOST` (that
    host fails, with the error's text), `facts:HOST` (its facts are unseen, for that reason), `drain` (nothing
    is drained), `drain:HOST` (that balancer goes on; the others are drained), `culprits` (nobody is asked),
    `set_aside` and `bring_back` (no server goes or comes), `set_aside:HOST` and `bring_back:HOST` (that
    balancer does not do as told; the others do).

    Attributes:
        requests: every play asked for, in order.
        digests: role -> digest of its files; change one as an edited role would.
        asked: names of the hosts whose facts were asked for, in order.
        foresaw: sites for which a play was foreseen, in order.
        drained: names of the balancers whose haproxy has ended, in order, each as often as it was drained.
        patience: seconds that visitors were given, of each call of `drain`.
        traces: host -> lines it tells of who keeps changing it, besides when its files changed.
        suspected: names of the hosts that were asked who keeps changing them, in order.
        rotation: servers set aside and brought back.
    """

    def __init__(self, hosts: Hosts, clock: Clock) -> None:
        self._hosts = hosts
        self._clock = clock
        self.failures = Failures()
        self.rotation = MemoryRotation(hosts, self.failures)
        self.requests: list[ConfigurationRequest] = []
        self.asked: list[str] = []
        self.foresaw: list[str] = []
        self.drained: list[str] = []
        self.patience: list[float] = []
        self.traces: dict[str, tuple[str, ...]] = {}
        self.suspected: list[str] = []
        self.digests: dict[str, str] = {role: digest(["role", role]) for role in ROLES}

    def roles(self) -> Mapping[str, str]:
        """Role name -> digest of its files."""
        return dict(self.digests)

    @asynccontextmanager
    async def foreseen(self, site: str) -> AsyncIterator[None]:
        """Note that a play is expected."""
        self.foresaw.append(site)
        yield

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        """Run one targeted play."""
        self.requests.append(request)
        _refuse_strange_roles(request)
        verb = "deploy" if request.kind is StepKind.DEPLOY else "configure"
        await self.failures.meet(verb)
        results = []
        for number, host in enumerate(request.hosts, 1):
            results.append(self._play(verb, request, host))
            report(Progress(f"{verb} {host.name}", number, len(request.hosts), host.name))
        return ConfigurationResult(tuple(results))

    async def drain(self, balancers: Sequence[Host], timeout: float, report: Report) -> None:  # noqa: ASYNC109
        """Have balancers stop. Visitors in memory finish at once: `timeout` is never waited for."""
        self.patience.append(timeout)
        await self.failures.meet("drain")
        errors = []
        for host in balancers:
            sim = self._hosts.get(host.id)
            why = _out_of_reach(sim)
            if why or sim is None:
                report(Progress(f"left out, it does not answer: {why}", host=host.name))
                continue
            try:
                await self.failures.meet(f"drain:{host.name}")
            except OttoError as error:
                errors.append(error)
                continue
            sim.services[SERVICE[host.role]] = "inactive"
            self.drained.append(host.name)
            report(Progress("drained", host=host.name))
        if errors:
            raise errors[0]

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ARG002, ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        """Have balancers send nobody to servers. `timeout` is never waited for, whoever is left."""
        return await self.rotation.set_aside(balancers, servers, report)

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ARG002, ASYNC109
        report: Report,
    ) -> None:
        """Have balancers send visitors to servers again; `timeout` is never waited for."""
        await self.rotation.bring_back(balancers, servers, report)

    async def culprits(
        self, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Who changes files of hosts: when, by the clock as it is now, and what `traces` says."""
        await self.failures.meet("culprits")
        return {host.name: self._culprits(host, paths.get(host.name, ())) for host in hosts}

    def _culprits(self, host: Host, paths: Sequence[str]) -> tuple[str, ...]:
        if not paths:
            return ()
        self.suspected.append(host.name)
        if _out_of_reach(self._hosts.get(host.id)):
            return ("does not answer",)
        stamp = f"{self._clock.now():%H:%M:%S} UTC"
        times = tuple(f"{path}: changed {stamp}, owner uid 0 (root)" for path in paths)
        return times + self.traces.get(host.name, ())

    async def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        """Facts of hosts, each as it comes: one that is held at a gate comes last."""
        self.failures.strike("facts")
        for host in sorted(hosts, key=lambda host: self.failures.holds(f"facts:{host.name}")):
            self.asked.append(host.name)
            yield host.name, await self._facts(host)

    async def _facts(self, host: Host) -> Seen[HostFacts] | Unseen:
        now = self._clock.now()
        try:
            await self.failures.meet(f"facts:{host.name}")
        except OttoError as error:
            return Unseen(str(error), now)
        sim = self._hosts.get(host.id)
        why = _out_of_reach(sim)
        return Unseen(why, now) if why or sim is None else Seen(sim.facts(self._hosts.up()), now)

    def _play(self, verb: str, request: ConfigurationRequest, host: Host) -> HostResult:
        sim = self._hosts.get(host.id)
        why = _out_of_reach(sim)
        if why or sim is None:
            paused = sim is not None and sim.state is HostState.PAUSED
            outcome = HostOutcome.TIMED_OUT if paused else HostOutcome.UNREACHABLE
            return HostResult(host.name, outcome, message=why)
        try:
            self.failures.strike(f"{verb}:{host.name}")
        except OttoError as error:
            return HostResult(host.name, HostOutcome.FAILED, task=f"{verb} {host.name}", message=str(error))
        changed = _deploy(sim, request) if verb == "deploy" else _configure(sim, request)
        return HostResult(host.name, HostOutcome.CHANGED if changed else HostOutcome.OK, changed)


def _refuse_strange_roles(request: ConfigurationRequest) -> None:
    for host in request.hosts:
        own = ("base", SERVICE[host.role])
        if strange := sorted(set(request.roles.get(host.name, own)) - set(own)):
            raise TerminalError(f"host {host.name} has no role {strange[0]!r}, only {' and '.join(own)}")


def _out_of_reach(host: SimHost | None) -> str:
    if host is None or host.cut or host.state is HostState.STOPPED:
        return "connection failed: no route to host"
    if host.state is HostState.PAUSED or not host.answers:
        return "no answer in time"
    return ""


def _configure(host: SimHost, request: ConfigurationRequest) -> int:
    """Bring a host, or the part of it that is asked for, to what the request says; how much that changed."""
    before = _picture(host)
    own = frozenset({"base", SERVICE[host.role]})
    roles = frozenset(request.roles.get(host.name, own))
    if "base" in roles:
        host.fact = FACT
        host.files[COMMON] = digest("sshd")
    if SERVICE[host.role] in roles:
        _serve(host, request)
    if roles >= own:
        host.files = {path: host.files[path] for path in (FILES[host.role], COMMON)}
        host.configuration = request.digests.get(host.name)
    if request.archive is not None and host.role is Role.WEB:
        _lay(host, request)
    return _differences(before, _picture(host))


def _serve(host: SimHost, request: ConfigurationRequest) -> None:
    """What the roles nginx and haproxy do."""
    host.domains, host.algorithm = request.domains, request.algorithm
    if host.role is Role.BALANCER:
        host.backends = tuple(
            Backend(server.name, server.private_address, server.http_port) for server in request.backends
        )
    host.disabled = set()
    # Real files follow from what the configuration's digest is of, and from nothing else.
    host.files[FILES[host.role]] = digest([host.role, request.digests.get(host.name)])
    host.services = {SERVICE[host.role]: "active"}


def _deploy(host: SimHost, request: ConfigurationRequest) -> int:
    before = _picture(host)
    _lay(host, request)
    return _differences(before, _picture(host))


def _lay(host: SimHost, request: ConfigurationRequest) -> None:
    """What the role content does."""
    if host.revision != request.revision or request.repair:
        host.revision, host.damage = request.revision, {}


def _picture(host: SimHost) -> tuple[object, ...]:
    kept = (dict(host.files), dict(host.services), set(host.disabled))
    return (*kept, host.configuration, host.revision, host.content, host.fact)


def _differences(before: tuple[object, ...], after: tuple[object, ...]) -> int:
    return sum(old != new for old, new in zip(before, after, strict=True))
