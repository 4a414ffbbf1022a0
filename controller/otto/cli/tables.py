"""Tables for people, readable at 80 columns. Every word of others goes in as text, never as markup."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from otto.cli import money
from otto.cli.colours import colour_of
from otto.cli.documents import in_order
from otto.cli.text import clean, date_time, lasting
from otto.decide.rolloutwords import in_a_line
from otto.model.canonical import short
from otto.model.history import AuditRecord
from otto.model.host import Host, HostState
from otto.model.infrastructure import Adoptable
from otto.model.rollout import RolloutState
from otto.model.status import Condition, ConditionType, SiteStatus, Truth

if TYPE_CHECKING:
    from otto.reconcile.strays import Strays

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


def sites(
    statuses: Iterable[SiteStatus], now: datetime, doing: Mapping[str, Sequence[str]] | None = None
) -> Table:
    """One line per site: where it is in its life, for how long, where to reach it, and what is the matter.

    Args:
        statuses: the sites.
        now: the time.
        doing: more lines about what goes on, by site.
    """
    table = blank("SITE", "PHASE", "READY", "FOR", "")
    for column in table.columns[:4]:
        column.no_wrap = True
    for status in statuses:
        table.add_row(
            words(status.site, "bold"),
            words(status.phase.value, colour_of(status.phase)),
            words("yes" if status.ready else "no", "green" if status.ready else "red"),
            words(_age(status, now), "dim"),
            _matter(status, (doing or {}).get(status.site, ())),
        )
    return table


def _age(status: SiteStatus, now: datetime) -> str:
    ready = status.conditions.get(ConditionType.READY.value)
    return lasting((now - ready.since).total_seconds()) if ready else ""


def _matter(status: SiteStatus, doing: Sequence[str]) -> Text:
    lines = [clean(endpoint.url) for endpoint in status.endpoints]
    if status.message not in ("", status.phase.value):
        lines.append(clean(status.message))
    if on_its_way := progress(status):
        lines.append(clean(on_its_way))
    return Text("\n".join([*lines, *map(clean, doing)]))


def progress(status: SiteStatus) -> str:
    """How far the site's rollout came, unless its message tells; "" when there is none under way."""
    if status.rollout is None:
        return ""
    line = in_a_line(status.rollout)
    told = status.rollout.state in (RolloutState.REVERTED, RolloutState.STUCK) or line in status.message
    return "" if told else line


def facts(pairs: Iterable[tuple[str, str]], width: int | None = None) -> Table:
    """Names and values; empty values are left out.

    Args:
        pairs: the names with their values.
        width: the least columns of the names, so that several tables stand in one line.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="dim", min_width=width)
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
            ("rollout", progress(status)),
            ("reach it at", urls),
            ("provider", status.provider),
            ("cost", money.site_words(status)),
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


def orphans(found: "Strays", now: datetime) -> Table:
    """Hosts that are nobody's, as their provider has them, and what they cost."""
    table = blank("HOST", "SITE", "STATE", "AGE", "SIZE", "AN HOUR", "A MONTH", "ADDRESS", "ID")
    for host in found.orphans:
        age = lasting((now - host.started_at).total_seconds()) if host.started_at else ""
        hourly, monthly = money.prices(found.cost(host))
        table.add_row(
            words(host.name, "bold"),
            words(host.site),
            words(host.state.value, "green" if host.state is HostState.RUNNING else "yellow"),
            *(words(text, "dim") for text in (age, host.size)),
            *(words(text) for text in (hourly, monthly, host.address, short(host.id))),
        )
    return table


def adoptable(found: Iterable[Adoptable]) -> Table:
    """What would be taken into a state."""
    table = blank("HOST", "NAME", "ID", "ADDRESS IN THE STATE")
    for item in found:
        table.add_row(words(item.host, "bold"), words(item.name), words(short(item.id)), words(item.address))
    return table


def audit(records: Iterable[AuditRecord]) -> Table:
    """The audit record: who did what when, and below each what for."""
    table = blank("WHEN", "WHO", "WHAT", "SITE", "PLAN", "SUMMARY, REASON")
    for column in (table.columns[0], table.columns[4]):
        column.no_wrap = True
    for entry in (record.entry for record in records):
        told = [words(entry.summary)] if entry.summary else []
        told += [words(entry.reason, "dim")] if entry.reason else []
        table.add_row(
            words(date_time(entry.at), "dim"),
            words(entry.who),
            words(entry.what, "bold"),
            words(entry.site or "all"),
            words(short(entry.plan)),
            Text("\n").join(told),
        )
    return table
