"""`otto lab`: what the local provider stands on, by hand."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.text import clean as printable
from otto.cli.text import counted
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.lab.containers import Container
    from otto.lab.lab import Lab
    from otto.lab.outcome import LabCleaned, LabStatus
    from otto.model.progress import Progress

_SURE = "clean"

app = typer.Typer(
    help="What the lab stands on: engine, base image, route.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def up(context: typer.Context) -> None:
    """Have everything there that lab hosts need. `otto up` does this by itself."""
    invocation = Invocation.of(context)
    ready = lab_of(invocation).up(lambda progress: _tell(invocation, progress))
    for note in ready.notes:
        _say(invocation, note)
    for warning in ready.warnings:
        _warn(invocation, warning)
    _say(invocation, f"the lab is up: {ready.version} at {ready.engine.url}, image {ready.image}")


@app.command()
def down(context: typer.Context) -> None:
    """End the engine's service that the lab started. Hosts go on serving."""
    invocation = Invocation.of(context)
    ended = lab_of(invocation).down()
    _say(invocation, "the engine's service is ended" if ended else "the lab had started no engine service")


@app.command()
def status(context: typer.Context, json: options.Json = False) -> None:
    """Show the lab as it is; nothing is started."""
    invocation = Invocation.of(context)
    found = lab_of(invocation).status()
    if json:
        invocation.out.print(json_module.dumps(_document(found), indent=2), soft_wrap=True)
        return
    from otto.cli import tables  # noqa: PLC0415  (see `console`)

    limit = f"{found.inotify.instances} instances"
    route = f"{found.route.pool}: {'there' if found.route.present else 'not there'}"
    facts = [
        ("owner", found.owner),
        ("engine", f"{found.version} at {found.engine.url}" if found.engine else "none answers: otto lab up"),
        ("image", found.image if found.image_id else f"{found.image}, not built: otto lab up"),
        ("route", route),
        ("inotify", limit),
        ("networks", ", ".join(network.name for network in found.networks)),
        ("nameserver", _nameserver(found)),
    ]
    invocation.out.print(tables.facts(facts))
    hosts = tables.blank("HOST", "SITE", "ROLE", "STATE", "ADDRESS")
    for host in found.hosts:
        cells = (host.name, host.site, host.role, host.state, host.address)
        hosts.add_row(*(tables.words(cell) for cell in cells))
    if found.hosts:
        invocation.out.print("", hosts, sep="\n")


@app.command()
def clean(
    context: typer.Context,
    yes: options.Yes = False,
    base_image: Annotated[
        bool, typer.Option("--image", help="The base image, too; other labs here may use it.")
    ] = False,
) -> None:
    """Remove every host and network of this home, its nameserver with its zones, and all that runs for it."""
    invocation = Invocation.of(context)
    if not yes:
        _confirm(invocation)
    clean_up(invocation, base_image=base_image)


def lab_of(invocation: Invocation) -> "Lab":
    """The home's lab.

    Raises:
        UsageError: the lab may not be touched.
    """
    from otto.adapters.identity import identity  # noqa: PLC0415  (with what follows)
    from otto.lab.lab import Lab  # noqa: PLC0415  (imports the engine's SDK)
    from otto.model.spec import Provider  # noqa: PLC0415

    settings = invocation.settings
    if Provider.LAB not in settings.providers:
        raise UsageError("the lab may not be touched", mend="add lab to CLOWD_PROVIDERS")
    return Lab(settings.home, identity(settings.home).owner, settings.lab, invocation.environ)


def clean_up(invocation: Invocation, *, base_image: bool = False, quiet: bool = False) -> None:
    """Leave nothing of the home's lab.

    Raises:
        UsageError: a controller works with it.
    """
    from otto.reconcile.lock import home_lock  # noqa: PLC0415

    with home_lock(invocation.settings.home):
        gone = lab_of(invocation).clean(
            lambda progress: None if quiet else _tell(invocation, progress), base_image=base_image
        )
    if quiet:
        return
    for warning in gone.warnings:
        _warn(invocation, warning)
    _say(invocation, f"the lab is clean: {words_of(gone)}")


def words_of(gone: "LabCleaned") -> str:
    """What is gone, in words."""
    told = (
        (gone.hosts, counted(len(gone.hosts), "host")),
        (gone.nameserver, "the nameserver with its zones"),
        (gone.networks, counted(len(gone.networks), "network")),
        (gone.processes, counted(gone.processes, "process", "processes")),
        (gone.service, "the engine's service"),
        (gone.route, "the route"),
        (gone.image, "the base image"),
    )
    return (
        ", ".join(words for there, words in told if there) + " removed"
        if any(x for x, _ in told)
        else "nothing was left"
    )


def _confirm(invocation: Invocation) -> None:
    invocation.err.print(printable(warning_of(lab_of(invocation).status())))
    invocation.err.print(f"Type {_SURE!r} to go on: ", end="")
    try:
        typed = input().strip()
    except EOFError:
        typed = ""
    if typed != _SURE:
        raise UsageError("nothing was removed: that was not confirmed", mend=f"type {_SURE}, or give --yes")


def warning_of(found: "LabStatus") -> str:
    """What `clean` would remove, in words."""
    names = ", ".join(host.name for host in found.hosts) or "none"
    zones = ", the nameserver with its zones" if found.nameserver else ""
    return f"This removes {counted(len(found.hosts), 'host')} ({names}){zones}, and their networks."


def _nameserver(found: "LabStatus") -> str:
    if found.nameserver is None:
        return "none: a zone that needs it has it started"
    told = _nameserver_facts(found.nameserver)
    return f"{told['state']}, at {told['address']}, delegates from {told['zone']}"


def _nameserver_facts(container: "Container") -> dict[str, str]:
    from otto.lab import names  # noqa: PLC0415

    return {
        "zone": container.labels.get(names.NAMESERVER, ""),
        "state": container.state,
        "address": container.labels.get(names.ADDRESS, ""),
    }


def _document(found: "LabStatus") -> dict[str, object]:
    return {
        "owner": found.owner,
        "engine": {"url": found.engine.url, "version": found.version} if found.engine else None,
        "image": {"name": found.image, "id": found.image_id or None},
        "route": {"pool": str(found.route.pool), "present": found.route.present},
        "inotify_instances": found.inotify.instances,
        "nameserver": _nameserver_facts(found.nameserver) if found.nameserver else None,
        "networks": [
            {"name": item.name, "site": item.labels.get("otto.site", "")} for item in found.networks
        ],
        "hosts": [
            {
                "name": host.name,
                "site": host.site,
                "role": host.role,
                "state": host.state,
                "address": host.address,
                "id": host.id,
            }
            for host in found.hosts
        ],
    }


def _tell(invocation: Invocation, progress: "Progress") -> None:
    count = f"{progress.done}/{progress.total} " if progress.total else ""
    invocation.err.print(printable(f"{count}{progress.message}"), style="dim")


def _say(invocation: Invocation, words: str) -> None:
    invocation.out.print(printable(words), soft_wrap=True)


def _warn(invocation: Invocation, words: str) -> None:
    invocation.err.print(printable(f"warning: {words}"), style="yellow", soft_wrap=True)
