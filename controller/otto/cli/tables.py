"""Tables for people, readable at 80 columns. Every word of others goes in as text, never as markup."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otto.cli.colours import colour_of, outcome_colour
from otto.cli.documents import in_order
from otto.cli.text import clean, date_time, lasting, took
from otto.model.canonical import short
from otto.model.host import Host
from otto.model.run import Run
from otto.model.status import Condition, ConditionType, SiteStatus, Truth

_TRUTH = {Truth.TRUE: "green", Truth.FALSE: "red", Truth.UNKNOWN: "yellow"}


def blank(*headings: str) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def words(text: str, style: str = "") -> Text:
    """Somebody's words."""
    return Text(clean(text), style=style)


def sites(statuses: Iterable[SiteStatus], now: datetime) -> Table:
    """One line per site: where it is in its life, for how long, where to reach it, and what is the matter."""
    table = blank("SITE", "PHASE", "READY", "FOR", "")
    for column in table.columns[:4]:
        column.no_wrap = True
    for status in statuses:
        table.add_row(
            words(status.site, "bold"),
            words(status.phase.value, colour_of(status.phase)),
            words("yes" if status.ready else "no", "green" if status.ready else "red"),
            words(_age(status, now), "dim"),
            _matter(status),
        )
    return table


def _age(status: SiteStatus, now: datetime) -> str:
    ready = status.conditions.get(ConditionType.READY.value)
    return lasting((now - ready.since).total_seconds()) if ready else ""


def _matter(status: SiteStatus) -> Text:
    lines = [clean(endpoint.url) for endpoint in status.endpoints]
    if status.message not in ("", status.phase.value):
        lines.append(clean(status.message))
    return Text("\n".join(lines))


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and values; empty values are left out."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(name, words(value))
    return table


def about(status: SiteStatus, intents: Iterable[str], now: datetime) -> Table:
    """One site, first part: what it is and what is known of it."""
    urls = "  ".join(endpoint.url for endpoint in status.endpoints)
    next_look = (
        f"in {lasting((status.next_look - now).total_seconds())}" if status.next_look else "on a change"
    )
    return facts(
        [
            ("message", "" if status.message == status.phase.value else status.message),
            ("reach it at", urls),
            ("provider", status.provider),
            ("labels", ", ".join(f"{name}={value}" for name, value in sorted(status.labels.items()))),
            ("commit", short(status.commit)),
            ("digest", short(status.digest)),
            ("last run", status.run),
            ("failures", f"{status.failures} in a row" if status.failures else ""),
            ("asked for", ", ".join(sorted(intents))),
            ("seen", f"{lasting((now - status.updated_at).total_seconds())} ago; next look {next_look}"),
        ]
    )


def conditions(known: Iterable[Condition], now: datetime) -> Table:
    """What holds and what does not, with the reason."""
    table = blank("CONDITION", "HOLDS", "FOR", "REASON", "MESSAGE")
    for column in table.columns[:3]:
        column.no_wrap = True
    for item in in_order(known):
        table.add_row(
            words(item.type.value),
            words(item.status.value, _TRUTH[item.status]),
            words(lasting((now - item.since).total_seconds()), "dim"),
            words(item.reason),
            words(item.message),
        )
    return table


def hosts(known: Iterable[Host]) -> Table:
    """The hosts, as the infrastructure's state has them."""
    table = blank("HOST", "ROLE", "ADDRESS", "SSH", "HTTP", "ID")
    for host in known:
        ssh = f"{host.ssh_user}@{host.address}:{host.ssh_port}"
        table.add_row(
            *(words(item) for item in (host.name, host.role.value, host.private_address, ssh)),
            words(str(host.http_port)),
            words(short(host.id)),
        )
    return table


def history(runs: Sequence[Run], now: datetime) -> Table:
    """Runs, newest first."""
    table = blank("RUN", "AGO", "TOOK", "CAUSE", "OUTCOME", "WHAT")
    for column in table.columns[:3]:
        column.no_wrap = True
    for run in runs:
        table.add_row(
            words(run.id),
            words(lasting((now - run.started_at).total_seconds()), "dim"),
            words(took(run.started_at, run.ended_at, now)),
            words(run.cause),
            words(run.outcome.value, outcome_colour(run.outcome)),
            words(run.message or ", ".join(_done(run)) or "nothing to do"),
        )
    return table


def _done(run: Run) -> list[str]:
    return [step.kind for step in run.steps if step.kind not in ("plan", "guard")]


def run_facts(run: Run, now: datetime) -> Table:
    """One run, first part."""
    return facts(
        [
            ("site", run.site),
            ("outcome", run.outcome.value),
            ("message", run.message),
            ("cause", run.cause),
            ("started", date_time(run.started_at)),
            ("took", took(run.started_at, run.ended_at, now)),
            ("commit", run.commit),
            ("digest", run.digest),
            ("plan", run.plan),
        ]
    )


def steps(run: Run, now: datetime) -> Table:
    """A run's steps, each with what it found and did."""
    table = blank("STEP", "TOOK", "OUTCOME", "WHAT")
    for column in table.columns[:3]:
        column.no_wrap = True
    for step in run.steps:
        table.add_row(
            words(step.kind, "bold"),
            words(took(step.started_at, step.ended_at, now)),
            words(step.outcome.value, outcome_colour(step.outcome)),
            words(step.summary),
        )
        for line in _detail(step.hosts, step.detail):
            table.add_row("", "", "", Padding(words(line, "dim"), (0, 0, 0, 2)))
    return table


def _detail(touched: Sequence[str], detail: dict[str, object]) -> Iterable[str]:
    if touched:
        yield f"hosts: {', '.join(touched)}"
    for name, value in detail.items():
        if isinstance(value, list):
            yield from (f"{name}: {_item(item)}" for item in value)
        elif isinstance(value, str):
            yield from (f"{name}: {line}" for line in value.splitlines())
        else:
            yield f"{name}: {_item(value)}"


def _item(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items() if item not in ("", None))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
