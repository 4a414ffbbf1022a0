"""See for ourselves that a site serves what it should."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from otto.decide import verification
from otto.decide.verification import Question
from otto.model.desired import Desired
from otto.model.errors import OttoError
from otto.model.host import Endpoint, Host, HostState, LiveHost
from otto.model.observed import CheckFailure, InfrastructureState, Seen, Serving, Unseen
from otto.model.probing import Answer, ProbeRequest, ProbeResult
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.steadiness import Steadiness

# Servers come up a moment after they were configured: looked for closely at first, then less and less.
_FIRST_PAUSE = 0.05
_LONGER = 1.15
_MOST_PAUSE = 2.0
_ROUNDS_PER_SERVER = 12
_STATISTICS_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Round:
    """One round of requests.

    Attributes:
        serving: what it showed.
        silent: hosts that answered neither HTTP nor SSH.
        meant: whether all that failed are answers that servers gave, ready as they were.
    """

    serving: Seen[Serving] | Unseen
    silent: frozenset[str] = frozenset()
    meant: bool = False


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of one question; `silent` is the host that answered neither it nor by SSH, "" for none.

    `meant` says whether what failed is an answer that a server gave, ready as it was.
    """

    failures: tuple[CheckFailure, ...] = ()
    silent: str = ""
    meant: bool = False


@dataclass(frozen=True, slots=True)
class _Asking:
    """What one round asks.

    Attributes:
        questions: requests whose answers are judged one by one.
        dead: hosts that are not asked.
        timeout: seconds haproxy has for its statistics.
        spread: endpoints through which every server is to be seen.
        tries: how often a request that fails is made.
    """

    questions: tuple[Question, ...]
    dead: frozenset[str] = frozenset()
    timeout: float = _STATISTICS_SECONDS
    spread: tuple[Endpoint, ...] = ()
    tries: int = 2


def dead_hosts(state: InfrastructureState, inventory: Seen[tuple[LiveHost, ...]] | Unseen) -> frozenset[str]:
    """Hosts that their provider calls anything but running: asking them only costs time."""
    if isinstance(inventory, Unseen):
        return frozenset()
    running = {host.name for host in inventory.value if host.state is HostState.RUNNING}
    return frozenset(host.name for host in state.hosts if host.name not in running)


class Verifier:
    """Asks a site all the questions of `decide.verification`, or the few of a glance."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def glance(
        self, desired: Desired, state: InfrastructureState, dead: frozenset[str] = frozenset()
    ) -> Round:
        """The fewest requests that show whether every host does its work; each is made twice before it fails.

        Args:
            desired: the site.
            state: its hosts.
            dead: hosts that are not asked.
        """
        timeout = self._kit.probes.timeout
        questions = verification.glances(desired, state, timeout)
        return await self._round(desired, state, _Asking(questions, dead, timeout))

    async def look(
        self, desired: Desired, state: InfrastructureState, dead: frozenset[str] = frozenset()
    ) -> Round:
        """One round of all questions; each is asked twice before it counts as failed."""
        spread = () if _balancers_dead(state, dead) else state.endpoints
        questions = verification.questions(desired, state)
        return await self._round(desired, state, _Asking(questions, dead, spread=spread))

    async def until(
        self,
        desired: Desired,
        state: InfrastructureState,
        deadline: float,
        disturbed: Callable[[], bool] = lambda: False,
        *,
        spared: frozenset[str] = frozenset(),
        patient: bool = True,
    ) -> Seen[Serving]:
        """Rounds until one passes or it is of no use to go on; the last round's outcome.

        Args:
            desired: the site.
            state: its hosts.
            deadline: seconds from now.
            disturbed: whether something happened meanwhile that another look has to deal with first.
            spared: hosts that have a newer wish: the others alone are asked, and visitors get either.
            patient: whether the deadline is waited for, though servers mean their wrong answers.
        """
        end = self._kit.clock.monotonic() + deadline
        pause, steadiness = _FIRST_PAUSE, Steadiness(self._kit.clock)
        asking = _verification(desired, state, spared)
        while True:
            round_ = await self._round(desired, state, asking)
            seen = round_.serving
            if isinstance(seen, Unseen):
                failure = CheckFailure("hosts", desired.site, "terraform state", "hosts", seen.reason)
                return Seen(Serving((failure,), 1, desired.content), seen.at)
            if not seen.value.failures or disturbed() or self._kit.clock.monotonic() + pause > end:
                return seen
            if steadiness.convinces(seen.value.failures, meant=round_.meant) and not patient:
                return seen
            await self._kit.clock.sleep(pause)
            pause = min(_MOST_PAUSE, pause * _LONGER)

    async def directly(
        self,
        desired: Desired,
        state: InfrastructureState,
        names: Collection[str],
        *,
        deadline: float,
        disturbed: Callable[[], bool] = lambda: False,
    ) -> tuple[CheckFailure, ...]:
        """Every check, asked of some hosts themselves, until all hold or it is of no use to go on.

        Args:
            desired: the site.
            state: its hosts.
            names: the hosts to ask.
            deadline: seconds from now; 0 asks once.
            disturbed: whether something happened meanwhile that another look has to deal with first.

        Returns:
            What failed in the last round.
        """
        asked = verification.directly(desired, state, names)
        end = self._kit.clock.monotonic() + deadline
        pause, steadiness = _FIRST_PAUSE, Steadiness(self._kit.clock)
        while True:
            results = await asyncio.gather(*(self._kit.probe.get(item.request) for item in asked))
            pairs = zip(asked, results, strict=True)
            failures = tuple(found for item, result in pairs if (found := verification.judge(item, result)))
            if not failures or disturbed() or self._kit.clock.monotonic() + pause > end:
                return failures
            if steadiness.convinces(failures, meant=all(map(verification.is_meant, results))):
                return failures
            await self._kit.clock.sleep(pause)
            pause = min(_MOST_PAUSE, pause * _LONGER)

    async def lost(self, hosts: Iterable[Host]) -> frozenset[str]:
        """Names of the hosts on which not even sshd answers: no wish is to blame for what fails on those."""
        asked = tuple(hosts)
        alive = await asyncio.gather(*(self._has_ssh(host) for host in asked))
        return frozenset(host.name for host, there in zip(asked, alive, strict=True) if not there)

    async def answers(self, state: InfrastructureState) -> verification.Answers:
        """What every balancer counts of the servers' answers to visitors; a silent one is left out."""
        port, path = verification.STATISTICS_PORT, verification.STATISTICS_PATH
        requests = [
            ProbeRequest(host.address, port, path, timeout=_STATISTICS_SECONDS)
            for host in state.of(Role.BALANCER)
        ]
        told = await asyncio.gather(*(self._kit.probe.get(request) for request in requests))
        return verification.answers(item.body for item in told if isinstance(item, Answer))

    async def _round(self, desired: Desired, state: InfrastructureState, asking: _Asking) -> Round:
        """Ask everything at once. Without hosts there is nothing to ask, so serving is unknown."""
        if not state.hosts or not state.endpoints:
            return Round(Unseen("there is nothing to ask yet", self._kit.clock.now()))
        dead = asking.dead
        unreachable = _balancers_dead(state, dead)
        asked = [item for item in asking.questions if item.server not in dead]
        if unreachable:
            asked = [item for item in asked if item.server]
        heard = await asyncio.gather(
            *(self._ask(state, question, asking) for question in asked),
            *(self._spread(desired, state, endpoint, dead) for endpoint in asking.spread),
            *(
                self._statistics(state, host, asking)
                for host in state.of(Role.BALANCER)
                if host.name not in dead
            ),
        )
        failures = [failure for item in heard for failure in item.failures]
        if unreachable:
            failures += [verification.unreachable(endpoint) for endpoint in state.endpoints]
        silent = frozenset(item.silent for item in heard if item.silent)
        serving = Serving(tuple(failures), len(heard), desired.content)
        meant = not unreachable and all(item.meant for item in heard if item.failures)
        return Round(Seen(serving, self._kit.clock.now()), silent, meant)

    async def _ask(self, state: InfrastructureState, question: Question, asking: _Asking) -> _Heard:
        result, silent = await self._get(question.request, state.named(question.server), asking)
        failure = verification.judge(question, result)
        if failure and isinstance(result, Answer) and asking.tries > 1:
            result = await self._kit.probe.get(question.request)
            failure = verification.judge(question, result)
        return _Heard((failure,) if failure else (), silent, verification.is_meant(result))

    async def _get(
        self, request: ProbeRequest, host: Host | None, asking: _Asking
    ) -> tuple[ProbeResult, str]:
        """The answer, and the host if it is silent.

        A request without an answer is made once more, lest a hiccup count as a failure; meanwhile sshd is
        listened to. A host from which neither comes is not there, by two independent signals.
        """
        result = await self._kit.probe.get(request)
        if isinstance(result, Answer) or asking.tries <= 1:
            return result, ""
        result, alive = await asyncio.gather(self._kit.probe.get(request), self._has_ssh(host))
        silent = host is not None and not alive and not isinstance(result, Answer)
        return result, host.name if host is not None and silent else ""

    async def _has_ssh(self, host: Host | None) -> bool:
        if host is None:
            return True
        try:
            return await self._kit.probe.ssh(host.address, host.ssh_port, self._kit.probes.timeout)
        except OttoError:
            return True  # we could not ask; that is not the host's silence

    async def _spread(
        self, desired: Desired, state: InfrastructureState, endpoint: Endpoint, dead: frozenset[str]
    ) -> _Heard:
        """Ask through the balancer until every living server was seen, up to a limit."""
        want = frozenset(host.name for host in state.of(Role.WEB)) - dead
        host = next(iter(desired.spec.domains), "")
        request = ProbeRequest(endpoint.address, endpoint.port, verification.REVISION_PATH, host)
        seen: Counter[str] = Counter()
        if not want or not verification.spreads(desired) or verification.serves_nothing(desired):
            return _Heard()
        for _ in range(_ROUNDS_PER_SERVER):
            batch = await asyncio.gather(*(self._kit.probe.get(request) for _ in range(2 * len(want))))
            answers = [item for item in batch if isinstance(item, Answer)]
            seen.update(item.headers.get(verification.SERVER_HEADER, "") for item in answers)
            if want <= seen.keys() or not answers:
                break
        failure = verification.spread_failure(endpoint.url, request, want, seen)
        return _Heard((failure,) if failure else ())

    async def _statistics(self, state: InfrastructureState, balancer: Host, asking: _Asking) -> _Heard:
        """Ask a balancer for haproxy's own view."""
        want = frozenset(host.name for host in state.of(Role.WEB))
        port, path = verification.STATISTICS_PORT, verification.STATISTICS_PATH
        request = ProbeRequest(balancer.address, port, path, timeout=asking.timeout)
        result, silent = await self._get(request, balancer, asking)
        failures = verification.statistics_failures(balancer.name, request, result, want)
        return _Heard(failures, silent)


def _verification(desired: Desired, state: InfrastructureState, spared: frozenset[str]) -> _Asking:
    """All questions; where some servers have a newer wish, those to the other ones, and to balancers."""
    if not spared:
        return _Asking(verification.questions(desired, state), spread=state.endpoints, tries=1)
    names = frozenset(host.name for host in state.of(Role.WEB)) - spared
    return _Asking(verification.directly(desired, state, names), tries=1)


def _balancers_dead(state: InfrastructureState, dead: frozenset[str]) -> bool:
    balancers = state.of(Role.BALANCER)
    return bool(balancers) and all(host.name in dead for host in balancers)
