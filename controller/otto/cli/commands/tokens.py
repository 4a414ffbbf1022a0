"""`otto token`: who may speak to the HTTP API, and what they may."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from otto.desk.tokens import CreateToken, Known, NewToken

app = typer.Typer(
    help="Tokens for the HTTP API and for --server.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def token() -> None:
    """Tokens for the HTTP API and for --server."""


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is: commits and records bear it.")],
    *,
    scope: Annotated[
        str,
        typer.Option(
            metavar="SCOPE",
            help="read, operate, write or admin; each includes those before it.",
            autocompletion=options.complete_scope,
        ),
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only sites with this label; may be given again."),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="DURATION", help="How long it holds: 8h, 30d; api.tokenDays when left out.")
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it there, mode 0600, and do not show it."),
    ] = None,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Make a token, and show it this once.

    It alone goes to standard output, so that TOKEN=$(otto token create …) holds it. OttO keeps no more than
    a digest of it: who loses it needs another one.
    """
    from otto.decide import moments, tokens  # noqa: PLC0415  (not for --help)
    from otto.desk.tokens import CreateToken  # noqa: PLC0415

    invocation = Invocation.of(context)
    word, labels = tokens.scope_of(scope).word, tuple(label or ())
    tokens.labels_of(labels)
    seconds = moments.length(expires) if expires else None
    wish = CreateToken(name, word, labels, seconds, note, by)
    made = _made(invocation, wish, to)
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)
        from otto.desk.tokens import new_token_document  # noqa: PLC0415

        documents.write(invocation.out, new_token_document(made, str(to) if to else None))
        return
    _tell(invocation, made, to)


@app.command("list")
def listed(context: typer.Context, *, json: options.Json = False) -> None:
    """List tokens, newest first: those that ended lately, too. Never what they are."""
    from otto.desk.tokens import SeeTokens  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run(invocation.desk.ask(SeeTokens()))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the table)

        documents.write(invocation.out, documents.tokens_document(found))
        return
    invocation.out.print(_table(found) if found else "there are no tokens; to make one: otto token create")


@app.command()
def revoke(
    context: typer.Context,
    token_id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A token's id, the first digits of it, or its name.",
            autocompletion=options.complete_token,
        ),
    ],
    *,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Take a token back: within a second it does not count any more."""
    from otto.desk.tokens import RevokeToken  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run(invocation.desk.ask(RevokeToken(token_id, note, by)))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the line)

        documents.write(invocation.out, documents.token_document(found))
        return
    from otto.cli.text import clean  # noqa: PLC0415

    words = f"token {found.id} of {found.name} does not count any more"
    invocation.out.print(clean(words), soft_wrap=True)


def _made(invocation: Invocation, wish: "CreateToken", to: Path | None) -> "NewToken":
    """The token; in its file by then, if it is to have one."""
    if to is None:
        return run(invocation.desk.ask(wish))
    with _file(to) as write:  # before the token is made: one that has no place to go would be lost
        made = run(invocation.desk.ask(wish))
        write(made.secret)
    return made


@contextmanager
def _file(path: Path) -> Iterator[Callable[[str], None]]:
    """Write a file whole, readable by its owner alone; what was there is replaced at the end.

    Raises:
        UsageError: it cannot be written, or is something else than a file.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file", mend="name another one")
    try:
        descriptor, name = tempfile.mkstemp(prefix=".otto-token-", dir=path.parent)  # its mode is 0600
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", mend="name another file") from error
    kept = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:

            def write(text: str) -> None:
                stream.write(text + "\n")
                stream.flush()
                os.fsync(stream.fileno())

            yield write
        kept.replace(path)
    except OSError as error:
        mend = "the token was made all the same: revoke it, see otto token list"
        raise UsageError(f"{path} cannot be written: {error.strerror}", mend=mend) from error
    finally:
        kept.unlink(missing_ok=True)


def _tell(invocation: Invocation, made: "NewToken", to: Path | None) -> None:
    from otto.cli.text import clean, date_time  # noqa: PLC0415
    from otto.decide.tokens import limited  # noqa: PLC0415

    token = made.token
    words = f"token {token.id} of {token.name}: {token.scope}{limited(token.labels)}"
    words += f", until {date_time(token.expires_at)}"
    if to is not None:
        invocation.out.print(clean(f"{words}; it is in {to}"), soft_wrap=True)
        return
    invocation.err.print(clean(f"{words}; it is shown this once:"), soft_wrap=True)
    invocation.out.print(made.secret, soft_wrap=True)


def _table(found: "tuple[Known, ...]") -> "Table":
    from otto.cli.tables import blank, words  # noqa: PLC0415
    from otto.cli.text import date_time  # noqa: PLC0415

    table = blank("ID", "NAME", "SCOPE", "SITES", "BY", "MADE", "UNTIL", "USED")
    table.columns[0].no_wrap = True
    for token in found:
        labels = " ".join(f"{key}={value}" for key, value in sorted(token.labels.items()))
        ended = "revoked" if token.revoked_at else "expired"
        table.add_row(
            words(token.id, "bold" if token.holds else "dim"),
            words(token.name, "" if token.holds else "dim"),
            words(token.scope),
            words(labels or "all"),
            words(token.made_by),
            words(date_time(token.made_at), "dim"),
            words(date_time(token.expires_at)) if token.holds else words(ended, "red"),
            words(date_time(token.used_at) if token.used_at else "never", "dim"),
        )
    return table
