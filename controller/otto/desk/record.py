"""The audit record."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.history import AuditRecord
from otto.reconcile.chain import Chain, walk

MOST = 10_000
"""Records that may be asked for at once."""


@dataclass(frozen=True, slots=True)
class SeeAudit(Question[tuple[AuditRecord, ...]]):
    """The newest of the audit record, newest first.

    Attributes:
        site: of this site alone, None for all.
        since: no older ones, None for all.
        limit: how many.
    """

    word: ClassVar = "audit"
    scope: ClassVar = Scope.READ

    site: str | None = None
    since: datetime | None = None
    limit: int = 50

    async def answer(self, house: House) -> tuple[AuditRecord, ...]:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        if not 0 < self.limit <= MOST:
            raise UsageError(f"{self.limit} is no number of records to ask for", mend=f"1 to {MOST}")
        async with house.store() as store:
            found = await store.ledger.latest(site=self.site, since=self.since, limit=self.limit)
            if self.site is None or found or await store.ledger.latest(site=self.site, limit=1):
                return found
            # A destroyed site keeps its records; one that never was has none.
            await names.require_known(self.site, store)
            return ()


@dataclass(frozen=True, slots=True)
class WalkAudit(Question[Chain]):
    """Whether the record is whole, from its first entry to its last.

    Attributes:
        expected: a hash that has to be among them, "" for none.
    """

    word: ClassVar = "audit-verify"
    scope: ClassVar = Scope.READ
    patience: ClassVar = 120.0

    expected: str = ""

    async def answer(self, house: House) -> Chain:
        """See `Question`."""
        house.require_all("walk the audit record")
        async with house.store() as store:
            return await walk(store.ledger, self.expected)
