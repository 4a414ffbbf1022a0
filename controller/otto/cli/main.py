"""`otto`: the command line."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from otto import __version__
from otto.cli import interpreter
from otto.cli.commands import (
    adopt,
    approvals,
    audit,
    ci,
    destroy,
    dns,
    freezes,
    grants,
    history,
    images,
    inspect,
    intents,
    inventory,
    lab,
    leeway,
    logs,
    looks,
    machine,
    notify,
    orphans,
    pipelines,
    policy,
    rollout,
    settings,
    specs,
    status,
    tokens,
    up,
    why,
)
from otto.cli.composition import Composition, Real
from otto.cli.group import OttoGroup
from otto.cli.invocation import Invocation

if TYPE_CHECKING:
    from otto.desk.question import Desk

_HELP = """OttO brings web sites to life from specs in a git repository, and keeps them that way.

Begin with `otto up`. Exit statuses: 0 done, 1 failed, 2 wrong command line, 3 not Ready (`status SITE`),
4 something differs (`diff` and `plan` with --exit-code), 130 stopped by Ctrl-C.
"""
_RUN, _SEE, _ACT, _ALLOW, _MAKE = "Run", "See", "Act", "Allow", "Prepare"


def at_home(invocation: Invocation) -> "Desk":
    """The desk of the home on this machine."""
    from otto.cli.house import HomeHouse  # noqa: PLC0415  (with the commands that ask)

    return HomeHouse(invocation)


def build_app(composition: Composition | None = None) -> typer.Typer:
    """The application.

    Args:
        composition: gives the ports; None for the real ones.
    """
    app = typer.Typer(
        name="otto",
        help=_HELP,
        cls=OttoGroup,
        no_args_is_help=True,
        # Text in help and errors is text: no markup is read out of what somebody typed.
        rich_markup_mode=None,
        # Our own error report; Typer's shows local variables.
        pretty_exceptions_enable=False,
        context_settings={
            "help_option_names": ["-h", "--help"],
            # For completion, which does not call the root.
            "obj": Invocation(composition or Real(), os.environ, at_home),
        },
    )
    app.callback()(_root(composition))
    _register(app)
    return app


def _root(composition: Composition | None) -> Callable[..., None]:
    def root(  # noqa: PLR0917  (Typer reads the options in this order)
        context: typer.Context,
        home: Annotated[
            str | None, typer.Option(metavar="PATH", help="Where OttO keeps everything (OTTO_HOME; ./var).")
        ] = None,
        settings: Annotated[
            list[str] | None,
            typer.Option(
                "--set", metavar="NAME=VALUE", help="A setting, over file and environment; see `config`."
            ),
        ] = None,
        debug: Annotated[
            bool, typer.Option("--debug", help="Log in full, show tracebacks (OTTO_DEBUG).")
        ] = False,
        server: Annotated[
            str | None,
            typer.Option(metavar="URL", help="Ask this controller, not the home here (OTTO_SERVER)."),
        ] = None,
        token: Annotated[
            str | None,
            typer.Option(metavar="TOKEN", help="Shown to it; others may see it: rather OTTO_TOKEN."),
        ] = None,
        token_file: Annotated[
            str | None, typer.Option(metavar="FILE", help="A file of mode 0600 that holds the token.")
        ] = None,
        authority: Annotated[
            str | None,
            typer.Option("--ca", metavar="FILE", help="Authorities of its certificate."),
        ] = None,
        version: Annotated[  # noqa: ARG001  (its callback does it)
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        flags = dict(_setting(item) for item in settings or ())
        if home is not None:
            flags["home"] = home
        flags |= _remote(server, token, token_file, authority)
        debug = debug or os.environ.get("OTTO_DEBUG", "").lower() in ("1", "true", "yes", "on")
        context.obj = Invocation(composition or Real(), os.environ, at_home, flags, debug, token)

    return root


def _remote(
    server: str | None, token: str | None, token_file: str | None, authority: str | None
) -> dict[str, str]:
    """The settings that these options are another name of."""
    if token is not None and token_file is not None:
        raise typer.BadParameter("give --token or --token-file, not both", param_hint="--token")
    given = {"remote.server": server, "remote.ca": authority}
    given["remote.token"] = f"file:{token_file}" if token_file is not None else None
    return {name: value for name, value in given.items() if value is not None}


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    return name.strip(), value


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"otto {__version__}")
        raise typer.Exit


def _register(app: typer.Typer) -> None:
    """Every command, in the order of `--help`."""
    panels = (
        (_RUN, (up.up, destroy.destroy)),
        (_SEE, (status.status, why.why, inspect.plan, inspect.diff, history.history, audit.audit)),
        (_SEE, (logs.logs, inventory.inventory, orphans.orphans)),
        (_ACT, (looks.reconcile, looks.provision, looks.configure, looks.verify)),
        (_ACT, (intents.suspend, intents.resume, adopt.adopt, orphans.reap)),
        (_ALLOW, (approvals.approve, approvals.reject, freezes.freeze, freezes.thaw)),
        (_ALLOW, (leeway.extend, leeway.override, grants.grants)),
        (
            _MAKE,
            (specs.validate, specs.init, machine.doctor, notify.notify, settings.config, settings.version),
        ),
    )
    for panel, commands in panels:
        for command in commands:
            app.command(rich_help_panel=panel)(command)
    app.add_typer(dns.app, name="dns", rich_help_panel=_SEE)
    app.add_typer(rollout.app, name="rollout", rich_help_panel=_ALLOW)
    app.add_typer(images.app, name="images", rich_help_panel=_MAKE)
    app.add_typer(ci.app, name="ci", rich_help_panel=_MAKE)
    app.add_typer(tokens.app, name="token", rich_help_panel=_ALLOW)
    app.add_typer(pipelines.app, name="pipelines", rich_help_panel=_SEE)
    app.add_typer(policy.app, name="policy", rich_help_panel=_MAKE)
    app.add_typer(lab.app, name="lab", rich_help_panel=_MAKE)


app = build_app()


def main() -> None:
    """The console script."""
    interpreter.begin()
    app(prog_name="otto")
