"""The removal of orphans, each on record before it goes and once it is gone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from otto.cli.seen import Around
from otto.cli.text import counted
from otto.cli.told import ORPHANS, readable
from otto.model.canonical import to_data
from otto.model.errors import OttoError, TerminalError
from otto.model.history import AuditEntry
from otto.model.host import LiveHost
from otto.reconcile.kit import Kit


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants something done, and why, in their words."""

    by: str
    reason: str = ""


async def reap(kit: Kit, hosts: Sequence[LiveHost], asked: Asked, at_work: Around) -> None:
    """Remove orphans, one after the other; while no controller does, what was told of them is corrected.

    Raises:
        TerminalError: one could not be removed; those before it are gone, those after it are left.
        OttoError: the audit record cannot be written; then nothing more is removed.
    """
    for number, host in enumerate(hosts):
        await kit.ledger.append(_entry(kit, host, asked, "asked", f"remove orphan {host.name}"))
        try:
            await kit.infrastructure.remove(host)
        except OttoError as error:
            failed = _entry(
                kit, host, asked, "failed", f"orphan {host.name} was not removed: {error.message}"
            )
            await kit.ledger.append(failed)
            raise _stopped(error, host, hosts[:number]) from error
        await _correct(kit, host, at_work)
        await kit.ledger.append(_entry(kit, host, asked, "removed", f"orphan {host.name} was removed"))


def _entry(kit: Kit, host: LiveHost, asked: Asked, result: str, summary: str) -> AuditEntry:
    detail = {
        "result": result,
        "host": host.name,
        "id": host.id,
        "provider": host.provider,
        "size": host.size,
        "state": host.state.value,
    }
    return AuditEntry(
        kit.clock.now(), asked.by, "reap", host.site, summary=summary, reason=asked.reason, detail=detail
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
