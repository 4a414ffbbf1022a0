"""Watches declared machines that serve no site: whether they answer, and what they say of themselves."""

import asyncio
from dataclasses import dataclass

import structlog

from otto.decide.hosts import as_host
from otto.decide.schedule import shortened
from otto.model.declared import DeclaredHost
from otto.model.errors import OttoError
from otto.model.host import Host, HostState, LiveHost
from otto.model.observed import Seen, Unseen
from otto.reconcile.fleet import Fleet
from otto.reconcile.hostview import HostView
from otto.reconcile.kit import Kit
from otto.reconcile.observation.factsdesk import FactsDesk

log = structlog.get_logger("otto.hosts")

_PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class _Answer:
    host: Host
    answers: Seen[bool] | Unseen


class Watchman:
    """Goes from one to the next, once an interval of facts. Changes nothing on any of them.

    Args:
        kit: the ports.
        fleet: which machines are declared.
        desk: asks hosts for facts.
    """

    def __init__(self, kit: Kit, fleet: Fleet, desk: FactsDesk) -> None:
        self._kit = kit
        self._fleet = fleet
        self._desk = desk
        self._known: dict[str, _Answer] = {}

    def declared(self) -> tuple[DeclaredHost, ...]:
        """The machines that serve no site, by name."""
        found = self._fleet.hosts_in_force()
        return tuple(found[name] for name in sorted(found) if not found[name].site)

    def views(self) -> tuple[HostView, ...]:
        """All of them, with what was observed of each last. Asks nobody."""
        return tuple(self._view(spec) for spec in self.declared())

    def _view(self, spec: DeclaredHost) -> HostView:
        host = as_host(spec)
        known = self._known.get(host.id)
        answers = known.answers if known else Unseen("not looked at yet", self._kit.clock.now())
        facts = self._desk.view(host)
        if isinstance(answers, Seen) and not answers.value:
            facts = Unseen("the host does not answer", answers.at)
        runs = isinstance(answers, Seen) and answers.value
        state = HostState.RUNNING if runs else HostState.UNKNOWN
        live = LiveHost(host.id, host.name, "", host.role.value, state, host.address) if known else None
        return HostView("", host, "", live, answers.at if known else None, facts, declared=True)

    async def run(self) -> None:
        """Work until cancelled."""
        settings = self._kit.facts
        while settings.interval > 0:
            self._kit.metrics.health.beat("the watch over declared hosts", settings.interval + _PATIENCE)
            await self._kit.clock.sleep(shortened(settings.interval, self._kit.rng, settings.jitter))
            try:
                await self.look()
            except Exception as error:
                log.exception("hosts.failed", kind=type(error).__name__)

    async def look(self) -> None:
        """Look at each of them once."""
        hosts = [as_host(spec) for spec in self.declared()]
        gone = self._known.keys() - {host.id for host in hosts}
        self._desk.forget(gone)
        found = await asyncio.gather(*map(self._ask, hosts))
        for answer in found:
            self._tell(self._known.get(answer.host.id), answer)
        self._known = {answer.host.id: answer for answer in found}
        there = [one.host for one in found if isinstance(one.answers, Seen) and one.answers.value]
        if there:
            await self._desk.facts(there)

    async def _ask(self, host: Host) -> _Answer:
        now, probes = self._kit.clock.now(), self._kit.probes
        try:
            answers = await self._kit.probe.ssh(host.address, host.ssh_port, probes.timeout)
        except OttoError as error:
            return _Answer(host, Unseen(error.message, now))
        return _Answer(host, Seen(answers, now))

    def _tell(self, before: _Answer | None, after: _Answer) -> None:
        """Say so once when one stops answering, and when it answers again."""
        if not isinstance(after.answers, Seen):
            return
        told = before is not None and isinstance(before.answers, Seen) and before.answers.value
        if after.answers.value and not told and before is not None:
            log.info("host.answers", host=after.host.name, address=after.host.address)
        elif not after.answers.value and (told or before is None):
            log.warning("host.silent", host=after.host.name, address=after.host.address)
