"""`otto status` for people: the table, one site in full, and what else should be said."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group

from otto.cli import money, tables
from otto.cli.tables import words
from otto.cli.text import counted, date_time
from otto.decide import freezing
from otto.desk.seen import Seen
from otto.model.history import Grant
from otto.model.host import LiveHost
from otto.model.problem import Problem
from otto.model.status import SiteStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST = 5


def page(
    seen: Seen,
    site: str | None,
    place: str,
    now: datetime,
    doing: Mapping[str, Sequence[str]] | None = None,
    *,
    every: Sequence[SiteStatus] | None = None,
) -> Group:
    """What was seen.

    Args:
        seen: one look at the store.
        site: the site it was asked for, None for all.
        place: where the sites are, in words: `over /srv/otto`.
        now: the time.
        doing: lines about what goes on, by site.
        every: all sites, where only some of them are shown.
    """
    if not seen.statuses:
        nothing = f"no sites {place} yet; otto up starts OttO with what its repository says"
        return Group(words(nothing), *_below(troubles(seen)))
    remarks = _below([*troubles(seen), *_stale(seen)])
    if site is None:
        return Group(tables.sites(seen.statuses, now, doing), *_total(every or seen.statuses), *remarks)
    one = seen.statuses[0]
    parts: list[RenderableType] = [
        tables.sites([one], now, doing),
        "",
        tables.about(one, seen.asked_for(site), now),
    ]
    if one.conditions:
        parts += ["", tables.conditions(one.conditions.values(), now)]
    if one.hosts:
        parts += ["", tables.hosts(one.hosts)]
    return Group(*parts, *remarks)


def troubles(seen: Seen) -> list[tuple[str, str]]:
    """Lines with their styles: what is the matter beside the sites themselves."""
    error = str((seen.source or {}).get("error") or "")
    found = [(f"source: {error}", "yellow")] if error else []
    unsigned = str((seen.source or {}).get("unsigned") or "")
    if unsigned:
        found.append((f"not deployed: {unsigned}", "red"))
    if seen.policy:
        found.append((f"fleet policy: {seen.policy}; the last good one is in force", "red"))
    return [*_freezes(seen.freezes), *found, *_problems(seen.problems), *_orphans(seen.orphans)]


def _freezes(freezes: Sequence[Grant]) -> Iterable[tuple[str, str]]:
    """What keeps hosts from being taken away, and how to end it."""
    for freeze in freezes:
        of = freeze.site or "every site"
        until = f", until {date_time(freeze.until)}" if freeze.until else ""
        why = f": {freeze.reason}" if freeze.reason else ""
        ends = freezing.command(freeze.site)
        yield f"deletions of {of} are frozen by {freeze.by}{until}{why}; to end that: {ends}", "red"


def _problems(problems: Sequence[Problem]) -> Iterable[tuple[str, str]]:
    """Files that name no site which could tell of them itself."""
    yield from ((f"spec of no site: {problem}", "red") for problem in problems[:_MOST])
    if len(problems) > _MOST:
        yield f"spec of no site: {len(problems) - _MOST} more problems (otto status --json)", "red"


def _orphans(orphans: Sequence[LiveHost]) -> Iterable[tuple[str, str]]:
    if orphans:
        names = ", ".join(host.name for host in orphans[:_MOST])
        more = f" and {len(orphans) - _MOST} more" if len(orphans) > _MOST else ""
        belong = f"{counted(len(orphans), 'host')} that no spec and no state owns: {names}{more}"
        yield f"{belong}; to look closer and remove them: otto orphans", "yellow"


def _total(statuses: Sequence[SiteStatus]) -> "list[RenderableType]":
    """What they all cost; nothing where there is no price table."""
    cost = money.fleet_words(statuses)
    return ["", words(f"cost of all: {cost}", "dim")] if cost else []


def _stale(seen: Seen) -> Iterable[tuple[str, str]]:
    if not seen.around.anybody:
        yield "no controller is running: this is what the last one left (otto up starts one)", "yellow"


def _below(lines: Sequence[tuple[str, str]]) -> "list[RenderableType]":
    return ["", *(words(text, style) for text, style in lines)] if lines else []
