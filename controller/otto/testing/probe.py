"""Answers to probes, as the simulated hosts would give them."""

from collections.abc import Callable, Mapping

from otto.model.host import HostState
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.model.spec import Algorithm, Role
from otto.testing.hosts import Backend, Hosts, SimHost

REVISION = "/.well-known/otto-revision"
STATISTICS = "/stats;csv"
HTTP, STATISTICS_PORT = 80, 8404
_SECONDS = 0.001
_PINNED = frozenset({Algorithm.SOURCE, Algorithm.FIRST})

Files = Callable[[str], Mapping[str, bytes]]


class MemoryProbe:
    """Port `Probe` over simulated hosts: nginx, haproxy and its statistics.

    Args:
        hosts: where they stand.
        files: content of a revision, path -> bytes.

    Attributes:
        requests: every request made, in order.
        answers: (address, path) -> what is answered instead, whatever the hosts would say.
    """

    def __init__(self, hosts: Hosts, files: Files) -> None:
        self._hosts = hosts
        self._files = files
        self._turn = 0
        self.requests: list[ProbeRequest] = []
        self.answers: dict[tuple[str, str], ProbeResult] = {}

    async def get(self, request: ProbeRequest) -> ProbeResult:
        """Answer one request."""
        self.requests.append(request)
        told = self.answers.get((request.address, request.path))
        if told is not None:
            return told
        host = self._hosts.at(request.address)
        if host is None or host.state is HostState.STOPPED:
            return NoAnswer("no route to host", _SECONDS)
        if not host.reachable:
            return NoAnswer(f"timed out after {request.timeout:g} s", request.timeout)
        if not host.serves:
            return NoAnswer("connection refused", _SECONDS)
        return self._answer(host, request)

    async def ssh(self, address: str, port: int, timeout: float) -> bool:  # noqa: ARG002, ASYNC109
        """Whether sshd names itself there."""
        host = self._hosts.at(address)
        return host is not None and host.reachable and host.answers

    def _answer(self, host: SimHost, request: ProbeRequest) -> ProbeResult:
        if host.role is Role.WEB and request.port == HTTP:
            return self._page(host, request)
        if host.role is Role.BALANCER and request.port == HTTP:
            return self._balanced(host, request)
        if host.role is Role.BALANCER and (request.port, request.path) == (STATISTICS_PORT, STATISTICS):
            return _ok(self._statistics(host), "text/plain")
        return NoAnswer("connection refused", _SECONDS)

    def _page(self, host: SimHost, request: ProbeRequest) -> Answer:
        server = {"x-otto-server": host.name}
        path = request.path.partition("?")[0]
        if path == REVISION and host.revision is not None:
            return _ok(host.revision, "text/plain", server)
        files = self._files(host.revision) if host.revision is not None else {}
        for name in (path.lstrip("/"), f"{path}/index.html".lstrip("/").replace("//", "/")):
            if name in files:
                body = host.damage.get(name, files[name].decode(errors="replace"))
                return _ok(body, "text/html", server)
        return Answer(404, server, "not found", _SECONDS)

    def _balanced(self, host: SimHost, request: ProbeRequest) -> ProbeResult:
        states = self._states(host)
        up = [backend for backend in host.backends if states[backend.name] == "UP"]
        if not up:
            return Answer(503, {}, "No server is available to handle this request.", _SECONDS)
        self._turn += 1
        backend = up[0] if host.algorithm in _PINNED else up[self._turn % len(up)]
        return self._page(self._hosts[backend.name], request)

    def _statistics(self, host: SimHost) -> str:
        rows = [f"web,{name},{state}" for name, state in self._states(host).items()]
        ends = ["site,FRONTEND,OPEN", *rows, "web,BACKEND,UP"]
        return "\n".join(["# pxname,svname,status", *ends]) + "\n"

    def _states(self, host: SimHost) -> dict[str, str]:
        return host.servers(frozenset(item.name for item in host.backends if self._is_up(item)))

    def _is_up(self, backend: Backend) -> bool:
        server = self._hosts.at(backend.address)
        return server is not None and server.serves and server.revision is not None


def _ok(body: str, kind: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(200, {"content-type": kind, **(headers or {})}, body, _SECONDS)
