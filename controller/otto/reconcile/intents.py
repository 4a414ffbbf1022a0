"""What people want of a site besides its spec: to be left alone, to go on, to be taken down.

Each is on record before it holds, and holds before any controller hears of it: killed in between, the next
one goes on.
"""

from otto.model.history import AuditEntry, AuditRecord
from otto.model.saying import Speaker
from otto.ports import Store
from otto.reconcile.destroy import DESTROY, DESTROYED, TEARDOWN

SUSPEND = "suspend"


async def suspend(store: Store, site: str, who: Speaker, note: str = "") -> AuditRecord:
    """Leave a site alone until it is resumed.

    Args:
        store: where that is kept.
        site: its name.
        who: who wants it.
        note: why, in their words.

    Returns:
        Its record.
    """
    record = await _record(store, site, who, "suspend", note)
    await store.set_intent(site, SUSPEND, on=True)
    return record


async def resume(store: Store, site: str, who: Speaker, note: str = "") -> AuditRecord:
    """Have a site follow its spec again: takes back a suspend or destroy."""
    record = await _record(store, site, who, "resume", note)
    for intent in (SUSPEND, DESTROY, DESTROYED, TEARDOWN):
        await store.set_intent(site, intent, on=False)
    return record


async def destroy(
    store: Store, site: str, who: Speaker, note: str = "", *, teardown: bool = False
) -> AuditRecord:
    """Take a site down.

    Args:
        store: where that is kept.
        site: its name.
        who: who wants it.
        note: why, in their words.
        teardown: whether it comes back by itself when a controller is started again.
    """
    record = await _record(store, site, who, "destroy", note)
    await store.set_intent(site, DESTROY, on=True)
    if teardown:
        await store.set_intent(site, TEARDOWN, on=True)
    return record


async def look(store: Store, site: str, who: Speaker, note: str = "") -> AuditRecord:
    """Say that somebody has a site looked at now; whoever calls this sees to that."""
    return await _record(store, site, who, "reconcile", note)


async def run_pipeline(store: Store, site: str, who: Speaker) -> AuditRecord:
    """Say that somebody starts a pipeline; whoever calls this sees to that."""
    return await _record(store, site, who, "pipeline", summary="otto pipelines run")


async def _record(
    store: Store, site: str, who: Speaker, what: str, note: str = "", *, summary: str = ""
) -> AuditRecord:
    detail = {"as": who.account}
    entry = AuditEntry(who.at, who.name, what, site, "", summary or f"otto {what}", note, detail)
    return await store.ledger.append(entry)
