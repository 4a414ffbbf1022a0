"""See for ourselves that a site serves what it should."""

import asyncio
from collections import Counter

from otto.decide import verification
from otto.decide.verification import Question
from otto.model.desired import Desired
from otto.model.host import Endpoint
from otto.model.observed import CheckFailure, InfrastructureState, Seen, Serving, Unseen
from otto.model.probing import Answer, ProbeRequest
from otto.model.spec import Role
from otto.reconcile.kit import Kit

_FIRST_PAUSE = 0.2
_MOST_PAUSE = 2.0
_ROUNDS_PER_SERVER = 12


class Verifier:
    """Asks a site all the questions of `decide.verification`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def once(self, desired: Desired, state: InfrastructureState) -> Seen[Serving] | Unseen:
        """One round. Without hosts there is nothing to ask, so serving is unknown."""
        if not state.hosts or not state.endpoints:
            return Unseen("there is nothing to ask yet", self._kit.clock.now())
        singles = verification.questions(desired, state)
        rounds = await asyncio.gather(
            *(self._ask(question) for question in singles),
            *(self._spread(desired, state, endpoint) for endpoint in state.endpoints),
            self._statistics(state),
        )
        failures = tuple(failure for group in rounds for failure in group)
        return Seen(Serving(failures, len(rounds), desired.content), self._kit.clock.now())

    async def until(self, desired: Desired, state: InfrastructureState, deadline: float) -> Seen[Serving]:
        """Rounds until one passes or the deadline (seconds from now) is over; the last round's outcome."""
        end = self._kit.clock.monotonic() + deadline
        pause = _FIRST_PAUSE
        while True:
            seen = await self.once(desired, state)
            if isinstance(seen, Unseen):
                failure = CheckFailure("hosts", desired.site, "terraform state", "hosts", seen.reason)
                return Seen(Serving((failure,), 1, desired.content), seen.at)
            if not seen.value.failures or self._kit.clock.monotonic() + pause > end:
                return seen
            await self._kit.clock.sleep(pause)
            pause = min(_MOST_PAUSE, pause * 2)

    async def _ask(self, question: Question) -> tuple[CheckFailure, ...]:
        failure = verification.judge(question, await self._kit.probe.get(question.request))
        return (failure,) if failure else ()

    async def _spread(
        self, desired: Desired, state: InfrastructureState, endpoint: Endpoint
    ) -> tuple[CheckFailure, ...]:
        """Ask through the balancer until every server was seen, up to a limit."""
        want = frozenset(host.name for host in state.of(Role.WEB))
        host = next(iter(desired.spec.domains), "")
        request = ProbeRequest(endpoint.address, endpoint.port, verification.REVISION_PATH, host)
        seen: Counter[str] = Counter()
        if not verification.spreads(desired):
            return ()
        for _ in range(_ROUNDS_PER_SERVER):
            batch = await asyncio.gather(*(self._kit.probe.get(request) for _ in range(2 * len(want))))
            answers = [item for item in batch if isinstance(item, Answer)]
            seen.update(item.headers.get(verification.SERVER_HEADER, "") for item in answers)
            if want <= seen.keys() or not answers:
                break
        failure = verification.spread_failure(endpoint.url, request, want, seen)
        return (failure,) if failure else ()

    async def _statistics(self, state: InfrastructureState) -> tuple[CheckFailure, ...]:
        """Ask every balancer for haproxy's own view."""
        want = frozenset(host.name for host in state.of(Role.WEB))
        found: list[CheckFailure] = []
        for host in state.of(Role.BALANCER):
            request = ProbeRequest(
                host.address, verification.STATISTICS_PORT, verification.STATISTICS_PATH, timeout=3.0
            )
            result = await self._kit.probe.get(request)
            found += verification.statistics_failures(host.name, request, result, want)
        return tuple(found)
