"""The removal of orphans, each on record before it goes and once it is gone."""

import json
from collections.abc import Sequence

from otto.cli.seen import Around
from otto.cli.text import counted
from otto.model.canonical import to_data
from otto.model.errors import OttoError, TerminalError
from otto.model.history import AuditEntry
from otto.model.host import LiveHost
from otto.model.saying import Speaker
from otto.reconcile.kit import Kit
from otto.reconcile.told import ORPHANS, readable


async def reap(kit: Kit, hosts: Sequence[LiveHost], who: Speaker, note: str, at_work: Around) -> None:
    """Remove orphans, one after the other; while no controller does, what was told of them is corrected.

    Args:
        kit: all ports.
        hosts: the orphans.
        who: who wants it.
        note: why, in their words.
        at_work: who else is at work.

    Raises:
        TerminalError: one could not be removed; those before it are gone, those after it are left.
        OttoError: the audit record cannot be written; then nothing more is removed.
    """
    for number, host in enumerate(hosts):
        await kit.ledger.append(_entry(kit, host, who, "asked", f"remove orphan {host.name}", note=note))
        try:
            await kit.infrastructure.remove(host)
        except OttoError as error:
            summary = f"orphan {host.name} was not removed: {error.message}"
            failed = _entry(kit, host, who, "failed", summary, note=note)
            await kit.ledger.append(failed)
            raise _stopped(error, host, hosts[:number]) from error
        await _correct(kit, host, at_work)
        await kit.ledger.append(
            _entry(kit, host, who, "removed", f"orphan {host.name} was removed", note=note)
        )


def _entry(kit: Kit, host: LiveHost, who: Speaker, result: str, summary: str, *, note: str) -> AuditEntry:
    detail = {
        "result": result,
        "host": host.name,
        "id": host.id,
        "provider": host.provider,
        "size": host.size,
        "state": host.state.value,
        "as": who.account,
    }
    return AuditEntry(
        kit.clock.now(), who.name, "reap", host.site, summary=summary, reason=note, detail=detail
    )


def _stopped(error: OttoError, host: LiveHost, gone: Sequence[LiveHost]) -> TerminalError:
    names = f" ({', '.join(item.name for item in gone)})" if gone else ""
    message = (
        f"{host.name} was not removed: {error.message}; {counted(len(gone), 'host')} removed before{names}"
    )
    return TerminalError(message, mend=error.mend or "otto orphans shows what is left", detail=error.detail)


async def _correct(kit: Kit, host: LiveHost, at_work: Around) -> None:
    told = await kit.store.value(ORPHANS)
    if not at_work.anybody and told:
        left = [item for item in readable(LiveHost, json.loads(told)) if item.id != host.id]
        await kit.store.set_value(ORPHANS, json.dumps(to_data(left)))
