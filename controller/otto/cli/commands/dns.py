"""`otto dns`: zones, looked at, put right, imported, and examined from outside."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.adapters.specs.domaintext import Written
    from otto.model.domain import DomainSpec
    from otto.model.zone import RecordSet

_TIMEOUT = 600.0

app = typer.Typer(
    help="Zones: diff, apply, check from outside, import.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Zone = Annotated[
    str, typer.Argument(metavar="ZONE", help="A zone's name.", autocompletion=options.complete_zone)
]


@app.command()
def diff(
    context: typer.Context,
    zone: Zone,
    json: options.Json = False,
    exit_code: options.ExitCode = False,
) -> None:
    """Show what of a zone is not as its spec says.

    With what would be done about it, and what is somebody else's. Changes nothing. Records that OttO did not
    make are left alone.
    """
    from otto.desk.zones import InspectZone  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    seen = run(invocation.desk.ask(InspectZone(zone)))
    if json:
        from otto.cli import documents  # noqa: PLC0415
        from otto.reconcile.domains.documents import zone_document  # noqa: PLC0415

        documents.write(invocation.out, zone_document(seen))
    else:
        from otto.cli import zonepages  # noqa: PLC0415

        for part in zonepages.difference(seen):
            invocation.out.print(part)
    if exit_code and (seen.inspected.differences or seen.conflicts):
        raise typer.Exit(Exit.DIFFERENT)


@app.command()
def apply(
    context: typer.Context,
    zone: Zone,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Bring a zone to what its spec says, now.

    As `otto reconcile ZONE` does, and have its nameservers asked: what needs approval waits for it.
    """
    from otto.cli.reporting import report  # noqa: PLC0415  (with what is imported below)
    from otto.cli.session import look  # noqa: PLC0415  (imports the loop)
    from otto.model.plan import StepKind  # noqa: PLC0415

    invocation = Invocation.of(context)
    steps = frozenset({StepKind.VERIFY})
    answers = run(look(invocation, [zone], steps, timeout, plain=plain, json=json))
    report(invocation, answers, json=json, all_sites=False)


@app.command()
def check(
    context: typer.Context,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="A zone's name; any will do.")],
    *,
    resolver: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Look nameservers up there: ADDRESS or ADDRESS#PORT."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Examine a zone from outside.

    Its delegation, SOA and NS on all of its servers, DNSSEC, CAA, and what it answers. Works without a
    controller, and for zones of others. Exit status 1 when something is wrong.
    """
    from otto.desk.zones import Examine  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    if resolver:
        flags = invocation.flags | {"dns.resolvers": ",".join(resolver)}
        invocation = replace(invocation, flags=flags)
    found = run(invocation.desk.ask(Examine(domain.lower().removesuffix("."))))
    if json:
        from otto.cli import documents  # noqa: PLC0415
        from otto.model.canonical import to_data  # noqa: PLC0415

        documents.write(invocation.out, {"zone": domain, "findings": to_data(found)})
    else:
        from otto.cli import zonepages  # noqa: PLC0415

        for part in zonepages.findings(found):
            invocation.out.print(part)
    if any(item.holds is False for item in found):
        raise typer.Exit(Exit.FAILED)


@app.command("import")
def import_(
    context: typer.Context,
    zone: Annotated[str, typer.Argument(metavar="ZONE", help="The zone's name.")],
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="PATH", help="A zone file, in place of the live zone.")
    ] = None,
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Who serves it: rfc2136, route53, digitalocean, …")
    ] = "rfc2136",
    address: Annotated[
        str, typer.Option("--at", metavar="ADDRESS", help="The server that gives zone transfers.")
    ] = "",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Its port.", metavar="NUMBER")] = 53,
    key_name: Annotated[str, typer.Option(metavar="NAME", help="Name of the TSIG key.")] = "",
    key: Annotated[str, typer.Option(metavar="REFERENCE", help="Its secret: env:NAME, file:PATH.")] = "",
    credentials: Annotated[
        str, typer.Option(metavar="REFERENCE", help="Credentials of the provider's API.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="A new file to write.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Write the spec of a zone that is there.

    From its server, its provider, or a zone file. Nothing of the zone is changed. What no spec can hold is
    named in comments.
    """
    from otto.adapters.specs.domaintext import written  # noqa: PLC0415  (reads YAML and schemas)

    invocation = Invocation.of(context)
    spec = _reached(
        zone.lower().removesuffix("."),
        provider,
        (address, port, key_name, key),
        credentials,
    )
    sets = _from_file(spec.name, file) if file is not None else _live(invocation, spec)
    _show(invocation, spec.name, written(spec, sets), output, json=json)


def _reached(zone: str, provider: str, server: tuple[str, int, str, str], credentials: str) -> "DomainSpec":
    from otto.model.domain import DnsProvider, DnsServer, DomainSpec, is_zone  # noqa: PLC0415

    if not is_zone(zone):
        raise typer.BadParameter(f"{zone!r} is no zone: its name holds a dot", param_hint="ZONE")
    try:
        kind = DnsProvider(provider)
    except ValueError:
        known = ", ".join(item.value for item in DnsProvider)
        raise typer.BadParameter(f"{provider!r} is none of {known}", param_hint="--provider") from None
    address, port, name, key = server
    return DomainSpec(zone, kind, server=DnsServer(address, port, name, key), credentials=credentials)


def _from_file(zone: str, path: Path) -> "tuple[RecordSet, ...]":
    from otto.adapters.specs.zonefile import LARGEST, record_sets  # noqa: PLC0415
    from otto.model.errors import UsageError  # noqa: PLC0415

    try:
        with path.open("rb") as stream:
            return record_sets(zone, stream.read(LARGEST + 1))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", mend="see --file") from error


def _live(invocation: Invocation, spec: "DomainSpec") -> "tuple[RecordSet, ...]":
    from otto.desk.zones import ReadZone  # noqa: PLC0415
    from otto.model.errors import UsageError  # noqa: PLC0415

    found = run(invocation.desk.ask(ReadZone(spec)))
    if not found.exists:
        raise UsageError(f"{spec.name} is not served there", mend="see --at, --provider and the name")
    return tuple(sorted((*found.ours, *found.foreign), key=lambda item: item.key))


def _show(invocation: Invocation, zone: str, found: "Written", output: Path | None, *, json: bool) -> None:
    from otto.cli import documents  # noqa: PLC0415
    from otto.cli.text import clean, counted  # noqa: PLC0415
    from otto.model.canonical import to_data  # noqa: PLC0415
    from otto.model.errors import UsageError  # noqa: PLC0415

    if output is not None:
        try:
            with output.open("x", encoding="utf-8") as stream:
                stream.write(found.text)
        except OSError as error:
            raise UsageError(
                f"{output} cannot be written: {error.strerror}", mend="name a new file"
            ) from error
    if json:
        document = {
            "zone": zone,
            "text": found.text,
            "left_out": to_data(found.left_out),
            "problems": to_data(found.problems),
        }
        documents.write(invocation.out, document)
    elif output is None:
        invocation.out.print("\n".join(map(clean, found.text.splitlines())), soft_wrap=True)
    for problem in found.problems if not json else ():
        invocation.err.print(clean(f"to be mended: {problem}"), soft_wrap=True)
    if found.left_out and not json:
        words = f"{counted(len(found.left_out), 'record set')} left out: no spec holds their types"
        invocation.err.print(words, soft_wrap=True)
