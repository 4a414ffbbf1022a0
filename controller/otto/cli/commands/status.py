"""`otto status`: every site at a glance, or one in full."""

import asyncio
import json as json_module
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options, presence
from otto.cli.exits import Exit
from otto.cli.glance import StatusSource, glance
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

    from otto.model.canonical import Data
    from otto.model.status import SiteStatus

_SECOND = 1.0


def status(
    context: typer.Context,
    site: options.SomeSite = None,
    json: options.Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Show every site, or all that is known of one.

    Exit status with SITE: 0 when it is Ready, 3 when it is not. Without: 0.
    """
    invocation = Invocation.of(context)
    if watch:
        run(_watch(invocation, site, json=json))
        return
    seen = run(_look(invocation, site))
    _print(invocation, seen, site, json=json)
    if site and not seen.statuses[0].ready:
        raise typer.Exit(Exit.NOT_READY)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at the store."""

    statuses: "tuple[SiteStatus, ...]"
    intents: dict[str, frozenset[str]]
    source: "dict[str, Data] | None"
    controller: presence.Presence | None


async def _look(invocation: Invocation, site: str | None) -> _Seen:
    settings = invocation.settings
    if site is None and not naming.has_store(settings):
        return _Seen((), {}, None, None)
    async with _opened(invocation) as store:
        return await _read(store, site, presence.find(settings.home))


@asynccontextmanager
async def _opened(invocation: Invocation) -> AsyncIterator[StatusSource]:
    """The quick look where it will do, else the store."""
    settings = invocation.settings
    path = settings.home / "otto.db"
    if not settings.databaseUrl and path.exists():
        async with glance(path) as look:
            if look is not None:
                yield look
                return
    async with naming.reading_store(invocation) as store:
        yield store


async def _read(store: StatusSource, site: str | None, controller: presence.Presence | None) -> _Seen:
    statuses = await _statuses(store)
    if site is not None:
        naming.require(site, (item.site for item in statuses))
        statuses = tuple(item for item in statuses if item.site == site)
    intents = {item.site: await store.intents(item.site) for item in statuses} if site else {}
    kept = await store.value("source")
    return _Seen(statuses, intents, json_module.loads(kept) if kept else None, controller)


async def _statuses(store: StatusSource) -> "tuple[SiteStatus, ...]":
    """Statuses, those included that nobody has written yet: a spec is there, its first look is to come."""
    from otto.model.status import Phase, SiteStatus  # noqa: PLC0415  (with the store)

    known = {item.site: item for item in await store.statuses()}
    for name, spec in (await store.remembered()).items():
        if name not in known:
            provider, labels = spec.spec.provider.value, spec.spec.labels
            known[name] = SiteStatus(
                name, Phase.PENDING, datetime.now(UTC), provider=provider, labels=labels, commit=spec.commit
            )
    return tuple(known[name] for name in sorted(known))


def _print(invocation: Invocation, seen: _Seen, site: str | None, *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or tables)

        documents.write(invocation.out, _document(seen))
        return
    invocation.out.print(_drawn(invocation, seen, site))


def _document(seen: _Seen) -> dict[str, object]:
    from otto.cli.documents import site_document, status_document  # noqa: PLC0415

    sites = [site_document(item, seen.intents.get(item.site, ())) for item in seen.statuses]
    return dict(status_document(sites, seen.source, seen.controller))


def _drawn(invocation: Invocation, seen: _Seen, site: str | None) -> "Group":
    from rich.console import Group  # noqa: PLC0415

    from otto.cli import tables  # noqa: PLC0415

    now = datetime.now(UTC)
    if not seen.statuses:
        home = invocation.settings.home
        return Group(
            tables.words(f"no sites over {home} yet; otto up starts OttO with what its repository says")
        )
    if site is None:
        return Group(tables.sites(seen.statuses, now), *_remarks(seen))
    one = seen.statuses[0]
    parts: list[RenderableType] = [tables.sites([one], now), "", tables.about(one, seen.intents[site], now)]
    if one.conditions:
        parts += ["", tables.conditions(one.conditions.values(), now)]
    if one.hosts:
        parts += ["", tables.hosts(one.hosts)]
    return Group(*parts, *_remarks(seen))


def _remarks(seen: _Seen) -> "list[RenderableType]":
    from otto.cli.tables import words  # noqa: PLC0415

    said: list[RenderableType] = []
    error = str((seen.source or {}).get("error") or "")
    if error:
        said.append(words(f"source: {error}", "yellow"))
    if seen.controller is None:
        said.append(
            words("no controller is running: this is what the last one left (otto up starts one)", "yellow")
        )
    return ["", *said] if said else []


async def _watch(invocation: Invocation, site: str | None, *, json: bool) -> None:
    """Show the status whenever it changes: in place on a terminal, else anew each time."""
    async with _opened(invocation) as store:
        home = invocation.settings.home
        if json or not invocation.out.is_terminal:
            before = None
            while True:
                seen = await _read(store, site, presence.find(home))
                if seen != before:
                    _print(invocation, seen, site, json=json)
                before = seen
                await asyncio.sleep(_SECOND)
        await _watch_in_place(invocation, store, site)


async def _watch_in_place(invocation: Invocation, store: StatusSource, site: str | None) -> None:
    from rich.live import Live  # noqa: PLC0415

    console: Console = invocation.out
    with Live(console=console, auto_refresh=False, screen=False) as live:
        while True:
            seen = await _read(store, site, presence.find(invocation.settings.home))
            live.update(_drawn(invocation, seen, site), refresh=True)
            await asyncio.sleep(_SECOND)
