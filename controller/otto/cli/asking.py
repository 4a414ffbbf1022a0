"""Ask a person before something is done that cannot be taken back."""

import sys
from typing import TYPE_CHECKING, TextIO

from otto.cli.text import clean
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation

_YES = frozenset({"y", "yes"})


def typed(
    invocation: "Invocation",
    what: str,
    phrase: str,
    otherwise: str = "nothing was destroyed",
    alike: tuple[str, ...] = (),
) -> None:
    """Have a phrase typed, so that nothing is done by a key too many.

    Args:
        invocation: the call.
        what: what is about to happen, as a sentence.
        phrase: what has to be typed.
        otherwise: what is so when it is not.
        alike: what may be typed instead.

    Raises:
        UsageError: something else was typed, or nobody is there to type.
    """
    invocation.err.print(clean(what), soft_wrap=True)
    invocation.err.print(clean(f"Type {phrase!r} to go on: "), end="")
    if _line(sys.stdin) not in (phrase, *alike):
        raise UsageError(f"{otherwise}: that was not confirmed", mend=f"type {phrase}, or give --yes")


def agreed(invocation: "Invocation", question: str, otherwise: str, stdin: TextIO | None = None) -> None:
    """Have a question answered with yes, by a person at a terminal.

    Args:
        invocation: the call.
        question: what is asked.
        otherwise: what is so when the answer is no: `nothing was imported`.
        stdin: where the answer comes from; standard input when it is not given.

    Raises:
        UsageError: the answer was no, or standard input is no terminal.
    """
    stdin = stdin or sys.stdin
    if not stdin.isatty():
        raise UsageError(f"{otherwise}: nobody is there to ask", mend="give --yes")
    invocation.err.print(clean(f"{question} [y/N] "), end="")
    if _line(stdin).lower() not in _YES:
        raise UsageError(f"{otherwise}: that was not confirmed", mend="answer y, or give --yes")


def _line(stdin: TextIO) -> str:
    return stdin.readline().strip()
