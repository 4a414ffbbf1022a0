"""Web servers out of rotation and back, at simulated balancers."""

import re
from collections.abc import Callable, Iterator, Sequence

from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.host import Host
from otto.model.progress import Progress, Report
from otto.testing.failures import Failures
from otto.testing.hosts import Hosts, SimHost

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}")


class MemoryRotation:
    """Who gets visitors, as haproxies keep it.

    Attributes:
        moves: (`set_aside` or `bring_back`, servers) of every call, in order.
        visitors: server -> visitors that never finish, at each balancer.
    """

    def __init__(self, hosts: Hosts, failures: Failures) -> None:
        self._hosts = hosts
        self._failures = failures
        self.moves: list[tuple[str, tuple[str, ...]]] = []
        self.visitors: dict[str, int] = {}

    async def set_aside(
        self, balancers: Sequence[Host], servers: Sequence[str], report: Report
    ) -> dict[str, int]:
        """Put servers into maintenance; those that have visitors left, at how many balancers they do."""
        done = await self._all("set_aside", balancers, servers, report, self._take_out)
        return {name: self.visitors.get(name, 0) * done for name in servers}

    async def bring_back(self, balancers: Sequence[Host], servers: Sequence[str], report: Report) -> None:
        """Put servers back, those first that are well."""
        await self._all("bring_back", balancers, servers, report, self._put_back)

    async def _all(
        self,
        verb: str,
        balancers: Sequence[Host],
        servers: Sequence[str],
        report: Report,
        move: Callable[[SimHost, Sequence[str]], None],
    ) -> int:
        """Do it at all balancers that run; how many those were.

        Raises:
            OttoError: one does not do as told; the others do.
        """
        if strange := [name for name in servers if not _NAME.fullmatch(name)]:
            raise TerminalError(f"no web server has the name {strange[0]!a}")
        self.moves.append((verb, tuple(servers)))
        await self._failures.meet(verb)
        errors, done = list[OttoError](), 0
        for name, sim in self._running(balancers, report):
            try:
                await self._failures.meet(f"{verb}:{name}")
                move(sim, servers)
            except OttoError as error:
                errors.append(error)
            else:
                done += 1
                report(Progress(f"{', '.join(servers)}: {verb.replace('_', ' ')}", host=name))
        if errors:
            raise errors[0]
        return done

    def _running(self, balancers: Sequence[Host], report: Report) -> Iterator[tuple[str, SimHost]]:
        for host in balancers:
            sim = self._hosts.get(host.id)
            if sim is not None and sim.serves and sim.answers:
                yield host.name, sim
            else:
                report(Progress("left out, it does not answer", host=host.name))

    def _take_out(self, balancer: SimHost, servers: Sequence[str]) -> None:
        states = balancer.servers(self._hosts.up())
        up = {name for name, state in states.items() if state == "UP"}
        if up & set(servers) and not up - set(servers):
            raise TransientError(f"{balancer.name}: no other server is UP: nobody would be left to serve")
        balancer.disabled |= states.keys() & set(servers)

    def _put_back(self, balancer: SimHost, servers: Sequence[str]) -> None:
        well = self._hosts.up() & set(servers) & {backend.name for backend in balancer.backends}
        balancer.disabled -= well
        if ill := sorted(set(servers) - well):
            raise TransientError(f"{balancer.name}: {ill[0]} is not UP in time")
