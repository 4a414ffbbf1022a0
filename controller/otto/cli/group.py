"""The command group: every command's errors end here, whether called from a shell or from a test."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from otto.adapters import logfile
from otto.cli.exits import Exit
from otto.cli.failure import show_failure, show_surprise
from otto.cli.invocation import Invocation, console
from otto.model.errors import OttoError

if TYPE_CHECKING:
    from typer._click import Context


class OttoGroup(TyperGroup):
    """The root of `otto`."""

    def invoke(self, ctx: "Context") -> Any:  # noqa: ANN401  (Click's own signature)
        """Call a command; turn its errors into words and an exit status."""
        try:
            return super().invoke(ctx)
        except OttoError as error:
            show_failure(_stderr(ctx), error)
            raise typer.Exit(Exit.FAILED) from error
        except (typer.Exit, typer.Abort, typer.TyperException, KeyboardInterrupt):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            invocation = ctx.find_object(Invocation)
            debug = invocation is not None and invocation.debug
            show_surprise(_stderr(ctx), error, _log(invocation), debug=debug)
            raise typer.Exit(Exit.FAILED) from error


def _stderr(ctx: "Context") -> Any:  # noqa: ANN401  (rich.console.Console, not imported here)
    invocation = ctx.find_object(Invocation)
    return invocation.err if invocation else console({}, stderr=True)


def _log(invocation: Invocation | None) -> Path | None:
    if invocation is None:
        return None
    try:
        return logfile.file_of(invocation.settings.home)
    except OttoError:
        return None
