"""Sees to it that no host is ever made from a revoked image, whatever wish a run goes towards."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from otto.decide import standins
from otto.model.desired import Desired
from otto.model.errors import TerminalError, TransientError
from otto.model.plan import Plan
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look

log = structlog.get_logger("otto.images")


class StandIns:
    """Knows what is revoked, and what stands in for it.

    The newest wish names no revoked image, or it could not be worked out. Older ones may, that are mended
    while the newest is held, or gone back to.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._version = ""
        self._revoked: Mapping[tuple[str, str], str] = {}

    async def mind(self, look: Look, newest: Mapping[Role, str]) -> tuple[Look, str]:
        """A look whose run makes no host from a revoked image; and in words, which hosts wait for that.

        Args:
            look: where the run would start from.
            newest: names of the images that the newest spec asks for.
        """
        desired, observed = look.desired, look.observed
        barred = await self.barred(desired)
        if not barred:
            return look, ""
        lost = standins.lost(desired, observed, barred)
        others = {role: await self._other(desired, role, newest) for role in set(lost.values())}
        instead = {name: others[role] for name, role in lost.items() if others[role]}
        waiting = {name: barred[role] for name, role in lost.items() if name not in instead}
        if instead:
            log.warning("images.stand_in", hosts=sorted(instead), images=sorted(set(instead.values())))
        found = replace(
            look,
            differences=standins.mendable(look.differences, waiting),
            pinned=standins.pinned(desired, observed, barred, instead),
        )
        return found, standins.told(waiting)

    async def barred(self, desired: Desired) -> Mapping[Role, str]:
        """Kinds of hosts whose image is revoked -> in words, which."""
        return standins.barred(desired, await self._known())

    async def check(self, plan: Plan, desired: Desired, instead: Mapping[str, str]) -> None:
        """Last of all before hosts are made: an image may have been revoked since the plan was.

        Raises:
            TransientError: a host would be made from a revoked image.
        """
        known, provider = await self._known(), desired.spec.provider.value
        for name, image in standins.made_from(plan.actions, desired, instead).items():
            if words := known.get((provider, image)):
                raise TransientError(
                    f"{name} would be made from {words}",
                    mend="move the channel to another image: otto images promote DIGEST --to CHANNEL",
                )

    async def _other(self, desired: Desired, role: Role, newest: Mapping[Role, str]) -> str:
        """Id of what the image's name stands for now, or else of what the newest spec names; or ""."""
        names = (desired.spec.group(role).image, newest.get(role, ""))
        for name in dict.fromkeys(filter(None, names)):
            try:
                return await self._kit.images.resolve(desired.spec.provider, name)
            except TerminalError:
                continue
        return ""

    async def _known(self) -> Mapping[tuple[str, str], str]:
        index = self._kit.store.images
        version = await index.version()
        if version != self._version:
            # The version was asked for first: what changed meanwhile is read again.
            self._revoked = standins.revoked(await index.images())
            self._version = version
        return self._revoked
