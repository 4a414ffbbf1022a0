"""While a newer wish is held, or cannot be worked out: what broke of the last verified one is mended."""

from collections.abc import Awaitable, Callable

import structlog

from otto.decide.diff import diff
from otto.decide.sifting import to_act_on
from otto.decide.targeting import actionable
from otto.decide.verification import asks_the_same
from otto.model.desired import Desired
from otto.model.difference import UNWISHED, Layer
from otto.model.observed import Observed
from otto.model.sign import Sign
from otto.model.spec import Role
from otto.reconcile.fleet import Fleet
from otto.reconcile.holds import Holds
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look
from otto.reconcile.standins import StandIns

log = structlog.get_logger("otto.reconcile")


class Mender:
    """Mends towards the last wish that was verified.

    Args:
        kit: the ports.
        fleet: knows the newest spec, whose policy holds whatever else of it waits.
        holds: backs off from what cannot be mended.
        standins: knows which images are revoked, and what hosts are made from instead.
        run: carries out a run.
    """

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        holds: Holds,
        standins: StandIns,
        run: Callable[[Look, str], Awaitable[object]],
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._holds = holds
        self._standins = standins
        self._run = run

    def broken(
        self, last: Desired, observed: Observed, newer: str, signs: tuple[Sign, ...], asked: Desired
    ) -> Look | None:
        """Where such a run starts from; None when nothing is to be mended now.

        Nothing is, where roles or the module changed since: what ran would not be what was verified.

        Args:
            last: the last wish that was verified.
            observed: what was seen.
            newer: digest of the wish that is held.
            signs: what made the site due.
            asked: the wish by which visitors' answers were judged. Where it promises something else, they
                say nothing of the last one.
        """
        newest = self._fleet.in_force(last.site)
        policy = newest.spec.policy if newest else last.spec.policy
        found = to_act_on(diff(last, observed), policy.drift, self._kit.clock.now())
        tell = asks_the_same(last, asked)
        broken = tuple(
            item for item in found if item.cause in UNWISHED and (tell or item.layer is not Layer.SERVING)
        )
        if not self._is_current(last) or not actionable(broken) or self._holds.left(last, broken) > 0:
            return None
        return Look(last, observed, broken, signs=signs, beside=newer, policy=policy)

    async def mend(self, look: Look, cause: str) -> str:
        """Mend it; in words, what waits for a person, "" for nothing.

        A failure is told, and stands in nobody's way: the newer wish goes on being told of.
        """
        newest = self._fleet.in_force(look.desired.site)
        names = {role: newest.spec.group(role).image for role in Role} if newest else {}
        waiting = ""
        try:
            look, waiting = await self._standins.mind(look, names)
            if actionable(look.differences):
                await self._run(look, cause)
        except Exception as error:  # noqa: BLE001  (tried again later)
            log.warning("reconcile.failed", error=str(error), kind=type(error).__name__)
            self._holds.after_failure(look.desired, look.differences, self._kit.settings.backoffCap)
        return waiting

    def _is_current(self, last: Desired) -> bool:
        roles, module = self._kit.configuration.roles(), self._kit.infrastructure.module(last.spec.provider)
        return dict(roles) == dict(last.roles) and module == last.module
