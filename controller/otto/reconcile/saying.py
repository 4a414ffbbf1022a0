"""Somebody's word put in force, and into the audit record."""

from otto.model.history import AuditRecord
from otto.model.saying import Saying
from otto.ports import Ledger


async def say(ledger: Ledger, saying: Saying) -> AuditRecord:
    """Record a word and put it in force.

    What allows more is recorded before it holds, what allows less after: killed in between, what is in
    force is at most stricter than the record. Said again, it is whole.

    Args:
        ledger: where both are kept.
        saying: the word.

    Returns:
        Its record.
    """
    if saying.tightens:
        await _enforce(ledger, saying)
        return await ledger.append(saying.entry)
    record = await ledger.append(saying.entry)
    await _enforce(ledger, saying)
    return record


async def _enforce(ledger: Ledger, saying: Saying) -> None:
    if saying.tightens and saying.given:
        await ledger.grant(saying.given)
    for grant in saying.taken:
        await ledger.revoke(grant)
    if saying.given and not saying.tightens:
        await ledger.grant(saying.given)
