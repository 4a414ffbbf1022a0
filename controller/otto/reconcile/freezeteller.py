"""Tells people when somebody freezes deletions, and when they go on again."""

import json

from otto.decide import notices
from otto.model.history import Grant, GrantKind
from otto.reconcile.freezing import SOURCE
from otto.reconcile.kit import Kit

_TOLD = "freezes.told"


class FreezeTeller:
    """Compares the freezes that hold with those it told of; what OttO itself froze, it has told already."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._told: dict[str, str] | None = None

    async def look(self) -> None:
        """One look; nothing is written while nothing changes."""
        now = self._kit.clock.now()
        found = await self._kit.ledger.grants(kind=GrantKind.FREEZE)
        holding = {_name(item): item for item in found if item.origin != SOURCE and item.holds(now)}
        told = await self._known() if self._told is None else self._told
        fresh = [item for name, item in sorted(holding.items()) if name not in told]
        over = [site for name, site in sorted(told.items()) if name not in holding]
        self._told = {name: item.site for name, item in holding.items()}
        if not fresh and not over:
            return
        await self._kit.store.set_value(_TOLD, json.dumps(self._told))
        for item in fresh:
            await self._kit.notifier.notify(notices.of_freeze_by(item, now))
        for site in over:
            if site not in self._told.values():
                await self._kit.notifier.notify(notices.of_thaw("a person, or by time", now, site))

    async def _known(self) -> dict[str, str]:
        try:
            known = json.loads(await self._kit.store.value(_TOLD) or "{}")
        except ValueError:
            return {}
        return {str(name): str(site) for name, site in known.items()} if isinstance(known, dict) else {}


def _name(freeze: Grant) -> str:
    return f"{freeze.key} {freeze.at.isoformat()}"
