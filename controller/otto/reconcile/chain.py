"""The audit record's chain, walked from its first record to its last."""

from dataclasses import dataclass

from otto.decide import audit
from otto.model.history import AuditRecord
from otto.ports import Ledger

# Records that are held in memory at a time.
_STRETCH = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """What a walk found.

    Attributes:
        records: how many records, from the first on, follow each other as they should.
        last: hash of the last of these, "" when there is none.
        wrong: what is wrong with the next one, "" when the chain is whole.
    """

    records: int
    last: str
    wrong: str = ""


async def walk(ledger: Ledger, expected: str = "") -> Chain:
    """Look at every record, some at a time.

    Args:
        ledger: whose.
        expected: a hash that has to be among them, "" for none.
    """
    last: AuditRecord | None = None
    met = not expected
    while stretch := await ledger.records(after=last.number if last else 0, limit=_STRETCH):
        for record in stretch:
            wrong = audit.broken([record], last)
            if wrong:
                return _chain(last, wrong)
            last = record
            met = met or record.hash == expected
    return _chain(
        last, "" if met else f"no record has the hash {expected}: the record was made anew or cut off"
    )


def _chain(last: AuditRecord | None, wrong: str) -> Chain:
    return Chain(last.number, last.hash, wrong) if last else Chain(0, "", wrong)
