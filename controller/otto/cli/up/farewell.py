"""What `otto up` tells a person: once everything is Ready, when something is not, and at the end."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from otto.cli.text import clean, counted
from otto.cli.up.expectation import Expectation, Site, State
from otto.config import Settings
from otto.model.spec import SiteSpec
from otto.model.status import SiteStatus

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """A site that is Ready, with the spec it follows."""

    status: SiteStatus
    spec: SiteSpec


def command() -> str:
    """How to call us: by name where the shell finds us by it, else by the path we were called with."""
    called = Path(sys.argv[0] or "otto")
    found = shutil.which("otto")
    if called.name != "otto" or (found and Path(found).resolve() == called.resolve()):
        return "otto"
    return nearby(called)


def nearby(path: Path) -> str:
    """A path as a person would type it: relative where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def welcome(sites: Sequence[Ready], settings: Settings, api: str, otto: str) -> Iterator[Line]:
    """Lines with their styles: URLs, how to push, what to try next."""
    yield f"{counted(len(sites), 'site')} Ready", "bold green"
    for site in sites:
        urls = "  ".join(endpoint.url for endpoint in site.status.endpoints)
        yield f"  {clean(site.status.site)}  {clean(urls)}", "bold"
        yield from (_by_name(site, domain) for domain in site.spec.domains[:1])
    yield "", ""
    yield from _push(sites, settings)
    yield "Then try", "bold"
    yield from _next(sites, otto)
    yield "", ""
    yield f"API: {api}/docs, metrics: {api}/metrics, health: {api}/healthz", "dim"
    yield f"Log: {nearby(settings.home / 'logs')}/", "dim"
    yield f"Ctrl-C stops OttO; sites go on serving. To take all of them down: {otto} destroy --all", "dim"


def ready(sites: Sequence[Ready], otto: str) -> Iterator[Line]:
    """The short form, for `--until-ready`: what is Ready, and that it goes on without us."""
    yield f"{counted(len(sites), 'site')} Ready", "bold green"
    for site in sites:
        urls = "  ".join(endpoint.url for endpoint in site.status.endpoints)
        yield f"  {clean(site.status.site)}  {clean(urls)}", "bold"
    yield f"OttO stops here; sites go on serving. To keep them so: {otto} up", "dim"


def nothing(settings: Settings) -> Iterator[Line]:
    """When no spec is there."""
    yield f"no site has a spec on branch {settings.source.branch} in {settings.source.path}/ yet", "yellow"
    if not settings.source.url:
        repository = nearby(settings.home / "specs.git")
        yield f"  push one to {clean(repository)}; specs/hello.yaml in OttO's own repository shows how", ""


def _by_name(site: Ready, domain: str) -> Line:
    endpoint = next(iter(site.status.endpoints), None)
    return (f"    curl -H 'Host: {clean(domain)}' {clean(endpoint.url)}" if endpoint else ""), "dim"


def _push(sites: Sequence[Ready], settings: Settings) -> Iterator[Line]:
    example = next((site for site in sites if site.spec.content.path and not site.spec.content.git), None)
    pages = f"{example.spec.content.path.strip('/')}/" if example else "the pages"
    spec = sites[0].spec.file if sites else f"{settings.source.path}/"
    yield "Change it: push, and OttO does the rest", "bold"
    if settings.source.url:
        yield f"  push to branch {settings.source.branch} of the repository that OttO follows", ""
        yield f"  (it is asked every {settings.source.interval:g} s)", "dim"
    else:
        repository = nearby(settings.home / "specs.git")
        yield f"  git clone {clean(repository)} my-sites && cd my-sites", ""
        yield f"  (change something in {clean(pages)}, or count: 3 in {clean(spec)})", ""
        yield "  git commit -a -m 'Try OttO' && git push", ""
    yield "", ""


def _next(sites: Sequence[Ready], otto: str) -> Iterator[Line]:
    name = clean(sites[0].status.site) if sites else "SITE"
    tries = [
        ("status", "every site at a glance (--watch goes on)"),
        (f"history {name}", "what was done, step by step"),
        (f"diff {name}", "what is not as the spec says"),
        (f"verify {name}", "every server, the balancer and every check, now"),
        ("logs -f", "what is going on"),
    ]
    width = max(len(words) for words, _ in tries)
    for words, what in tries:
        yield f"  {otto} {words:<{width}}  {what}", ""


def explain(found: Expectation) -> Iterator[Line]:
    """Why not everything is Ready, site by site, with the mend for each."""
    if found.unread:
        yield f"✘ {clean(found.unread)}", "red"
    if found.unsigned:
        yield f"✘ not deployed: {clean(found.unsigned)}", "red"
    for site in found.of(State.COMING, State.STUCK):
        yield f"✘ {clean(site.name)}: {clean(site.why)}", "red"
        yield from _mend(site)
    for problem in found.loose:
        yield f"✘ {clean(str(problem))}", "red"
    for site in found.of(State.EXCUSED):
        yield f"‖ {clean(site.name)}: {clean(site.why)}", "yellow"


def remarks(found: Expectation) -> Iterator[Line]:
    """What should be said although everything expected is Ready."""
    if found.unsigned:
        yield f"! not deployed: {clean(found.unsigned)}", "yellow"
    for site in found.of(State.READY):
        if site.why:
            yield f"! {clean(site.name)}: {clean(site.why)}", "yellow"
    for site in found.of(State.EXCUSED):
        yield f"‖ {clean(site.name)}: {clean(site.why)}", "yellow"


def _mend(site: Site) -> Iterator[Line]:
    if site.mend:
        yield f"  mend: {clean(site.mend)}", ""


def goodbye(serving: int, unfinished: int, otto: str) -> Iterator[Line]:
    """After a clean stop.

    Args:
        serving: sites that go on without us.
        unfinished: sites that have hosts and do not serve yet.
        otto: how we are called.
    """
    told = f"{counted(serving, 'site')} {'goes' if serving == 1 else 'go'} on serving. " if serving else ""
    if unfinished:
        told += f"{counted(unfinished, 'site')} not finished: the next start goes on. "
    yield f"OttO has stopped. {told}To start again: {otto} up", "bold"
    yield f"To take everything down: {otto} destroy --all", ""
