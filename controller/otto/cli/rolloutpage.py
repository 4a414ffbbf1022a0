"""How a site's rollout stands, as `otto rollout status` shows it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from otto.cli import documents
from otto.cli.text import clean, date_time
from otto.decide.rolloutwords import in_a_line
from otto.decide.wording import counted
from otto.desk.steering import Rollout
from otto.model.canonical import short, to_data
from otto.model.history import Grant, GrantKind
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus

if TYPE_CHECKING:
    from rich.console import Console

_BACK = frozenset({RolloutState.REVERTING, RolloutState.REVERTED})


def show(out: "Console", found: Rollout, *, json: bool) -> None:
    """Print it."""
    if json:
        documents.write(out, document(found))
        return
    for line in lines(found):
        out.print(Text(clean(line)), soft_wrap=True)


def document(found: Rollout) -> dict[str, object]:
    """What `otto rollout status --json` prints."""
    status = found.status
    return {
        "site": status.site,
        **documents.rollout_data(status),
        "grants": [to_data(grant) for grant in found.grants],
        "quarantined": [
            to_data(status.quarantined[grant.plan])
            for grant in found.grants
            if grant.kind is GrantKind.QUARANTINE and grant.plan in status.quarantined
        ],
    }


def lines(found: Rollout) -> Iterator[str]:
    """The same for people."""
    status = found.status
    if not status.digest:
        yield f"nothing was rolled out at {status.site} yet"
    elif status.state is RolloutState.DONE:
        servers = counted(len(status.done), "server")
        yield f"{status.site}: {short(status.digest)} is rolled out, {servers}"
    else:
        yield f"{status.site}: {in_a_line(status)}"
    for number, batch in enumerate(status.batches, 1):
        yield f"  batch {number}  {', '.join(batch)}  {_of_batch(status, batch)}"
    for grant in found.grants:
        yield from _said(grant, status.quarantined.get(grant.plan))


def _of_batch(status: RolloutStatus, batch: tuple[str, ...]) -> str:
    if status.state in _BACK:
        return "taken back" if set(batch) & _changed(status) else "left as it was"
    if set(batch) <= set(status.done):
        return "done"
    return status.moment if status.moment and set(batch) & set(status.current) else "to come"


def _changed(status: RolloutStatus) -> frozenset[str]:
    known = status.quarantined.get(status.digest)
    return frozenset((*status.done, *status.current, *(known.hosts if known else ())))


def _said(grant: Grant, failed: Quarantine | None) -> Iterator[str]:
    who = f"by {grant.by}, {date_time(grant.at)}"
    if grant.kind is GrantKind.PAUSE:
        why = f": {grant.reason}" if grant.reason else ""
        yield f"paused {who}{why}; to go on: otto rollout resume {grant.site}"
        return
    yield f"quarantined {short(grant.plan)} {who}: {grant.reason}"
    if failed is None:
        return
    yield f"  commit {short(failed.commit)}, changed by then: {', '.join(failed.hosts) or 'nothing'}"
    for failure in failed.failures:
        yield f"  {failure.check} on {failure.target}: {failure.request}"
        yield f"    expected {failure.expected}"
        yield f"    received {failure.received}"
