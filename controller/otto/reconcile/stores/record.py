"""What is put on record of writes: who wrote what and why, and what was refused."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from otto.decide import writing
from otto.model.canonical import to_data
from otto.model.errors import OttoError
from otto.model.history import AuditEntry
from otto.model.reading import read
from otto.model.writing import Order
from otto.ports.specbook import Specbook
from otto.reconcile.kit import Kit
from otto.reconcile.stores.drafter import Drafted

log = structlog.get_logger("otto.stores")

_OPEN = "stores.open"
# Git goes on pushing, for as long as a push may take, when the controller is killed.
_OUTLIVED = timedelta(minutes=2)


class Record:
    """Puts writes on record, also those that a controller was killed over.

    Args:
        kit: the ports.
        book: knows what was published.
    """

    def __init__(self, kit: Kit, book: Specbook) -> None:
        self._kit = kit
        self._book = book
        # What an earlier start, or a push that broke off, may have published without a word about it.
        self._uncertain = True
        self._left: list[dict[str, Any]] = []

    async def announce(self, drafts: Sequence[tuple[Order, Drafted]]) -> list[AuditEntry]:
        """Note what is about to be published; its entries for the record.

        Raises:
            OttoError: what was announced before cannot be settled now.
        """
        await self.settle()
        entries = [self._entry(order, draft) for order, draft in drafts]
        kept = [
            {"commit": draft.commit, "entry": to_data(entry)}
            for (_, draft), entry in zip(drafts, entries, strict=True)
        ]
        await self._kit.store.set_value(_OPEN, json.dumps([*self._left, *kept]))
        self._uncertain = True
        return entries

    async def published(self, entries: Sequence[AuditEntry]) -> None:
        """Put on record what was announced."""
        for entry in entries:
            await self._kit.ledger.append(entry)
        await self.dropped()

    async def dropped(self) -> None:
        """Forget what was announced: nothing of it was published, or all is on record."""
        await self._kit.store.set_value(_OPEN, json.dumps(self._left) if self._left else "")
        self._uncertain = False

    async def settle(self) -> None:
        """Put on record what was published, should nobody have come to say so: each once.

        Raises:
            OttoError: that cannot be told now.
        """
        if self._uncertain:
            text = await self._kit.store.value(_OPEN)
            found = json.loads(text) if text else []
            left: list[dict[str, Any]] = found if isinstance(found, list) else [found]
        else:
            left = self._left
            if not any(map(self._is_over, left)):
                return
        known = {one.entry.detail.get("commit") for one in await self._kit.ledger.latest(limit=1000)}
        missed = [one for one in left if one["commit"] not in known]
        self._left = [one for one in missed if not await self._settled(one)]
        await self.dropped()

    async def _settled(self, one: Mapping[str, Any]) -> bool:
        """Whether it is known what became of one: it is on record now, or will never be published."""
        if await self._book.holds(one["commit"]):
            await self._kit.ledger.append(read(AuditEntry, one["entry"]))
            return True
        return self._is_over(one)

    def _is_over(self, one: Mapping[str, Any]) -> bool:
        """Whether a push that outlived its controller has come to its end."""
        return self._kit.clock.now() - read(AuditEntry, one["entry"]).at > _OUTLIVED

    async def refused(self, order: Order, error: Exception) -> None:
        """Put a refusal on record; the refusal itself matters more than its record."""
        why = error.message if isinstance(error, OttoError) else str(error)
        entry = AuditEntry(
            self._kit.clock.now(),
            order.caller.name,
            "refuse",
            site=order.name,
            summary=f"{order.verb} {writing.named(order.kind, order.name)} refused",
            reason=why[:500],
            detail=_about(order),
        )
        try:
            await self._kit.ledger.append(entry)
        except OttoError as trouble:
            log.exception("stores.unrecorded", error=str(trouble))

    def _entry(self, order: Order, draft: Drafted) -> AuditEntry:
        new = {} if draft.place else {"new": "yes"}
        return AuditEntry(
            self._kit.clock.now(),
            order.caller.name,
            "write",
            site=order.name,
            summary=f"{order.verb} {writing.named(order.kind, order.name)}",
            reason=writing.why(order),
            detail={**_about(order), "commit": draft.commit, **new},
        )


def _about(order: Order) -> dict[str, str]:
    caller = order.caller
    found = {"token": caller.token, "from": caller.address, "request": order.request}
    return {name: value for name, value in found.items() if value}
