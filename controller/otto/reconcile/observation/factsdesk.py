"""Facts of hosts: asked for many sites in one run, remembered, and asked again when in doubt."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from otto.model.errors import OttoError
from otto.model.host import Host, HostFacts
from otto.model.observed import Seen, Unseen
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.facts")

Sighting = Seen[HostFacts] | Unseen

# Facts are asked for once an interval; a little more than that is fresh enough for a look in between.
_FRESH_INTERVALS = 1.5
# A host that missed a question is believed for so many intervals what it said before.
_PATIENT_INTERVALS = 4
# Answers of one run come within this, unless a host hangs.
_TOGETHER_SECONDS = 1.0


@dataclass(slots=True)
class _Known:
    """What a host said last, and how often it failed to say anything since."""

    seen: Seen[HostFacts] | None = None
    unseen: Unseen | None = None
    misses: int = 0
    doubted: bool = False


class FactsDesk:
    """Where every part of the loop gets facts from.

    Questions that come while a run is under way wait for the next one and share it, so ten sites that
    start together cost two runs and not ten. Each host's answer is handed on as it comes: one that hangs
    delays nobody else's.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._known: dict[str, _Known] = {}
        self._pending: dict[str, tuple[Host, asyncio.Future[Sighting]]] = {}
        self._asking: dict[str, asyncio.Future[Sighting]] = {}
        self._closed = False
        self._runs: set[asyncio.Task[None]] = set()
        self._at_work = 0

    async def facts(self, hosts: Sequence[Host]) -> dict[str, Sighting]:
        """Facts by host name: from memory where they are fresh, asked for where not."""
        now = self._kit.clock.now()
        stale = [host for host in hosts if not self._is_fresh(host, now)]
        if stale:
            await self.ask(stale)
        return {host.name: self.view(host) for host in hosts}

    async def ask(self, hosts: Sequence[Host]) -> dict[str, Sighting]:
        """Ask these hosts now; by name, what each answered."""
        answers = [self._enter(host) for host in hosts]
        self._start()
        found = await asyncio.gather(*answers)
        return {host.name: seen for host, seen in zip(hosts, found, strict=True)}

    async def answers(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Host, ...]]:
        """Ask these hosts now; those that have answered, as they do. One that hangs comes by itself.

        Answers that come close together are handed over together, so that what happened to several hosts
        is seen as one.
        """
        waiting = {self._enter(host): host for host in hosts}
        self._start()
        while waiting:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            await self._wait_for_all(waiting)
            answered = [answer for answer in waiting if answer.done()]
            yield tuple(waiting.pop(answer) for answer in answered)

    def owes(self, host: Host) -> bool:
        """Whether the host has been asked, or is about to be, and has not answered yet."""
        return host.id in self._asking or host.id in self._pending

    def view(self, host: Host) -> Sighting:
        """What is known of a host. One missed question does not make it unknown, several do."""
        known = self._known.get(host.id, _Known())
        missed = known.unseen or Unseen("not looked at yet", self._kit.clock.now())
        if known.seen is None or (known.unseen is None and not known.doubted):
            return known.seen or missed
        age = self._kit.clock.now() - known.seen.at
        patient = age < timedelta(seconds=_PATIENT_INTERVALS * self._kit.facts.interval)
        believed = not known.doubted and known.misses < self._kit.probes.confirmations and patient
        return known.seen if believed else missed

    def doubt(self, ids: Iterable[str]) -> None:
        """What these hosts said no longer counts: something happened to them."""
        for host_id in ids:
            if host_id in self._known:
                self._known[host_id].doubted = True

    def forget(self, ids: Iterable[str]) -> None:
        """Drop hosts that are gone."""
        for host_id in ids:
            self._known.pop(host_id, None)

    async def close(self) -> None:
        """End what is being asked; whoever waits for it gets no answer."""
        self._closed = True
        for run in self._runs:
            run.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)

    def _is_fresh(self, host: Host, now: datetime) -> bool:
        known = self._known.get(host.id)
        if known is None or known.seen is None or known.doubted:
            return False
        # A host that has just failed to answer is left to the next round: a repair beside it cannot wait.
        last = known.unseen or known.seen
        return now - last.at <= timedelta(seconds=_FRESH_INTERVALS * self._kit.facts.interval)

    def _enter(self, host: Host) -> "asyncio.Future[Sighting]":
        """A place in the next run; one for all who ask for the same host before it begins."""
        waiting = self._pending.get(host.id)
        if waiting is None or waiting[1].done():
            waiting = (host, asyncio.get_running_loop().create_future())
            self._pending[host.id] = waiting
        return waiting[1]

    async def _wait_for_all(self, answers: Iterable["asyncio.Future[Sighting]"]) -> None:
        """Wait a moment for the answers that are still to come."""
        everyone = asyncio.ensure_future(asyncio.wait(list(answers)))
        timer = asyncio.ensure_future(self._kit.clock.sleep(_TOGETHER_SECONDS))
        try:
            await asyncio.wait({everyone, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            everyone.cancel()
            timer.cancel()

    def _start(self) -> None:
        if self._pending and self._at_work < max(1, self._kit.facts.concurrency):
            # Counted here and not by the tasks there are: one that has just found nobody waiting is one of
            # them still, and takes nobody any more.
            self._at_work += 1
            run = asyncio.create_task(self._work(), name="facts")
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)

    async def _work(self) -> None:
        """Ask in batches until nobody waits but for hosts that owe another run their answer."""
        try:
            await asyncio.sleep(0)  # whoever asks in the same moment comes along
            while chosen := self._choose():
                # Names are unique within a fleet: a site's name is a part of them.
                batch = {host.name: (host, answer) for host, answer in chosen}
                self._asking |= {host.id: answer for host, answer in chosen}
                await self._run(batch)
        finally:
            self._at_work -= 1

    def _choose(self) -> list[tuple[Host, "asyncio.Future[Sighting]"]]:
        """Who is asked next. A host that hangs is asked by one run at a time, lest it take all places."""
        free = [host_id for host_id in self._pending if host_id not in self._asking]
        return [self._pending.pop(host_id) for host_id in free[: max(1, self._kit.facts.batch)]]

    async def _run(self, batch: dict[str, tuple[Host, "asyncio.Future[Sighting]"]]) -> None:
        reason = "the question was broken off"
        try:
            with self._kit.calling("ssh"):
                async for name, seen in self._kit.configuration.facts([host for host, _ in batch.values()]):
                    self._answer(batch, name, seen)
        except OttoError as error:
            reason = error.message
        except Exception as error:
            log.exception("facts.failed", kind=type(error).__name__)
            reason = f"{type(error).__name__}: {error}"
        finally:
            for name in batch:
                self._answer(batch, name, Unseen(reason, self._kit.clock.now()))

    def _answer(
        self, batch: dict[str, tuple[Host, "asyncio.Future[Sighting]"]], name: str, seen: Sighting
    ) -> None:
        host, answer = batch[name]
        if self._asking.get(host.id) is not answer:
            return
        del self._asking[host.id]
        self._remember(host, seen)
        if not answer.done():
            answer.set_result(seen)
        if host.id in self._pending:
            self._start()

    def _remember(self, host: Host, seen: Sighting) -> None:
        known = self._known.setdefault(host.id, _Known())
        if isinstance(seen, Seen):
            known.seen, known.unseen, known.misses, known.doubted = seen, None, 0, False
        else:
            known.unseen, known.misses = seen, known.misses + 1
