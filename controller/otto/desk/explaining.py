"""Why a site is as it is."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names, told
from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.seen import Around
from otto.desk.sources import StatusSource
from otto.model.caller import Scope
from otto.model.history import GrantKind
from otto.model.policy import Policy
from otto.model.why import Why

_RUNS = 20
_STEERING = (GrantKind.PAUSE, GrantKind.QUARANTINE)


@dataclass(frozen=True, slots=True)
class SeeWhy(Question[Why]):
    """Why a site is as it is, from memory alone."""

    word: ClassVar = "why"
    scope: ClassVar = Scope.READ

    site: str

    async def answer(self, house: House) -> Why:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        async with house.quick() as store:
            return await self._of(store, house, await house.around())

    async def _of(self, store: StatusSource, house: House, around: Around) -> Why:
        from otto.decide import approval  # noqa: PLC0415  (not for --help)
        from otto.decide.evidence import Evidence  # noqa: PLC0415
        from otto.decide.why import why  # noqa: PLC0415

        site = self.site
        statuses = {status.site: status for status in await store.statuses()}
        remembered = await store.remembered()
        names.require(site, statuses.keys() | remembered.keys())
        runs = await store.runs(site, _RUNS)
        plan = approval.waiting_plan(statuses.get(site), runs)
        policy = remembered[site].spec.policy if site in remembered else Policy()
        said, now = await store.ledger.grants(site=site), house.now()
        source = await told.source(store)
        return why(
            Evidence(
                site=site,
                status=statuses.get(site),
                spec=remembered.get(site),
                intents=await store.intents(site),
                runs=runs,
                statuses=statuses,
                specs={name: item.spec for name, item in remembered.items()},
                controller=around.anybody,
                newest=str(source.get("commit") or ""),
                source_error=str(source.get("error") or ""),
                source_failures=int(source.get("failures") or 0),
                unsigned=str(source.get("unsigned") or ""),
                steered=tuple(grant for grant in said if grant.kind in _STEERING and grant.holds(now)),
                approved=approval.approved(said, plan, policy.approvers, now),
            )
        )
