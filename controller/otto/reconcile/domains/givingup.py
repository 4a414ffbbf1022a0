"""Give a zone up because somebody said so: OttO's records go, others' stay."""

import asyncio
from dataclasses import replace

from otto.decide.dns import planning
from otto.decide.dns.summarize import ZoneFindings
from otto.decide.wording import describe, describe_actions
from otto.model.canonical import digest
from otto.model.catalogue import RememberedDomain
from otto.model.domain import DomainSpec
from otto.model.history import OTTO, AuditEntry
from otto.model.observed import Applied
from otto.model.plan import Plan, Removing
from otto.model.run import Outcome, Run
from otto.model.verdict import Allowed
from otto.model.zone import ZonePlan
from otto.reconcile.destroy import DESTROY, DESTROYED, TEARDOWN
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.statuses import ZoneStatuses
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit
from otto.reconcile.pace import Next
from otto.reconcile.recorder import Recorder, run_id


class GivingUp:
    """Takes OttO's records out of zones. Who wants it is on record first, so a killed controller goes on."""

    def __init__(
        self, kit: Kit, fleet: Fleet, gate: Gatekeeper, book: ZoneBook, statuses: ZoneStatuses
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._gate = gate
        self._book = book
        self._statuses = statuses

    async def give_up(self, zone: str, known: RememberedDomain | None) -> Next:
        """Take OttO's records out of a zone, when the guard lets it; until then it stays as it is.

        Args:
            zone: its name.
            known: the spec in force, if one still wants it.

        Raises:
            OttoError: the zone cannot be read or changed now.
        """
        last = known or self._fleet.last_good_domain(zone)
        if last is None:
            await self.forget(zone)
            return Next(None)
        spec = replace(last.spec, records=(), nameservers=(), registrar="", dnssec=None)
        with self._kit.calling("dns"):
            found = await self._kit.zones.plan(spec, {})
        plan = planning.removal(found, Removing.PERSON)
        protected = (memory := self._book.of(zone).desired) is not None and memory.spec.policy.protect
        judged = await self._gate.judge(plan, last.spec, Applied(), protected=protected)
        if not isinstance(judged.verdict, Allowed):
            held = ZoneFindings(
                zone, self._kit.clock.now(), verdict=judged.verdict, plan=plan.digest, leaving="person"
            )
            await self._statuses.write(held)
            return Next(self._kit.dns.interval)
        await self._statuses.destroying(zone)
        await self._remove(spec, found, plan)
        return await self._given_up(zone, known)

    async def stays_away(self, spec: DomainSpec, intents: frozenset[str]) -> bool:
        """Whether a zone that was given up stays so: until it is resumed, or its spec says something else."""
        if DESTROYED not in intents:
            return False
        if await self._kit.store.value(_key(spec.name)) == _words(spec):
            return True
        for intent in (DESTROYED, TEARDOWN):
            await self._kit.store.set_intent(spec.name, intent, on=False)
        return False

    async def forget(self, zone: str) -> None:
        """Drop all that is known of a zone but its history."""
        self._fleet.forget(zone)
        self._book.forget(zone)
        self._gate.forget(zone)
        await self._statuses.gone(zone)

    async def _remove(self, spec: DomainSpec, found: ZonePlan, plan: Plan) -> None:
        zone, now = spec.name, self._kit.clock.now()
        recorder = Recorder(self._kit, Run(run_id(now), zone, "destroy", now, plan=plan.digest))
        entry = AuditEntry(now, OTTO, "destroy", zone, plan.digest, describe(plan), "otto destroy")
        await self._gate.audit(entry)
        try:
            async with recorder.step("destroy") as notes:
                await self._gate.take(plan, spec)
                with self._kit.calling("dns"):
                    await self._kit.zones.remove(spec, found, notes.report)
                notes.summary = describe_actions(plan.actions) or "nothing of OttO's was in it"
        except Exception as error:
            await recorder.give_up(Outcome.FAILED, str(error))
            raise
        except BaseException:
            await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
            raise
        await recorder.end(Outcome.SUCCEEDED, "given up")
        await self._gate.used(zone, plan.digest)

    async def _given_up(self, zone: str, known: RememberedDomain | None) -> Next:
        store = self._kit.store
        if known is None:
            await self.forget(zone)
            return Next(None)
        await store.set_value(_key(zone), _words(known.spec))
        await store.set_intent(zone, DESTROYED, on=True)
        await store.set_intent(zone, DESTROY, on=False)
        self._book.forget(zone)
        await self._book.keep(self._book.of(zone))
        return await self._statuses.destroyed(zone)


def _key(zone: str) -> str:
    return f"destroyed.{zone}"


def _words(spec: DomainSpec) -> str:
    """The spec without where it stands and what may be done to it."""
    records = [replace(record, place=0, line=0) for record in spec.records]
    return digest([spec.provider, spec.server, records, spec.nameservers, spec.labels])
