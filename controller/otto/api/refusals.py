"""Refusals, on record: who was not allowed what. The same again and again is told once a while."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

import structlog
from starlette.requests import Request

from otto.api.gate import address_of
from otto.model.errors import OttoError
from otto.model.history import AuditEntry
from otto.ports import Ledger

log = structlog.get_logger("otto.api")

WHAT = "refuse"

_PAUSE = 60.0  # seconds between two records of the same refusal
_MOST = 1000  # different ones that are kept in mind
_LONGEST = 200  # characters of a path


class Refusals:
    """Writes refusals down; belongs to the API's event loop.

    Args:
        ledger: where the audit record is; asked from the API's event loop.
        now: the time of day, in UTC.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, ledger: Ledger, now: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._monotonic = monotonic
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def tell(self, request: Request, who: str, why: str, *, key: str = "", **detail: str) -> None:
        """Record that a request was refused; an audit record that cannot be written is only logged.

        Args:
            request: what was asked.
            who: who asked, or who that seems to be.
            why: the reason.
            key: refusals of the same key are the same; the method and path, when it is empty.
            detail: more, as plain text by name.
        """
        path = "".join(one if one.isprintable() else "?" for one in request.url.path[:_LONGEST])
        asked = f"{request.method[:10]} {path}"
        address = address_of(request)
        log.warning("api.forbidden", asked=asked, who=who, client=address, reason=why)
        if not self._is_new((who, address, key or asked)):
            return
        entry = AuditEntry(
            self._now(),
            who,
            WHAT,
            str(request.path_params.get("site", "")),
            summary=f"refused: {asked}",
            reason=why,
            detail={"from": address, **detail},
        )
        try:
            await self._ledger.append(entry)
        except OttoError as error:
            log.warning("api.unrecorded", error=str(error))

    def _is_new(self, key: tuple[str, str, str]) -> bool:
        now = self._monotonic()
        last = self._told.pop(key, None)
        new = last is None or now - last >= _PAUSE
        self._told[key] = now if new or last is None else last
        if len(self._told) > _MOST:
            self._told.popitem(last=False)
        return new
