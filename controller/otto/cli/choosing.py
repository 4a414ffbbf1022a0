"""Which way progress is shown: in place on a terminal, else line by line, or as JSON when asked for."""

from otto.cli.board import Board
from otto.cli.invocation import Invocation
from otto.cli.presenting import JsonPresenter, PlainPresenter, Presenter
from otto.model.errors import UsageError
from otto.ports import Clock


def presenter(invocation: Invocation, clock: Clock, board: Board, *, plain: bool, json: bool) -> Presenter:
    """A presenter that shows a board, and keeps it up to date with the events it is given.

    Raises:
        UsageError: both ways were asked for at once.
    """
    if plain and json:
        raise UsageError("--plain and --json exclude each other")
    if json:
        return JsonPresenter(invocation.out, board, clock)
    if plain or not invocation.out.is_terminal:
        return PlainPresenter(invocation.out, board, clock)
    from otto.cli.livetable import LivePresenter  # noqa: PLC0415  (only terminals need it)

    return LivePresenter(invocation.out, board, clock)
