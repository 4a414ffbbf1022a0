"""Run a coroutine as a command: a first signal stops it in order, a second one leaves at once."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import typer

from otto.cli.exits import Exit

T = TypeVar("T")

_SIGNALS = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}
_LEAVING = (
    "\nleaving at once; a Terraform that still runs finishes on its own, and the next start waits for it\n"
)


def run(work: Coroutine[Any, Any, T], on_stop: Callable[[], None] = lambda: None) -> T:
    """Run to the end. A signal cancels the work, which cleans up after itself.

    Args:
        work: what to run.
        on_stop: called on the first signal, before the work is cancelled.

    Raises:
        typer.Exit: with 130 or 143 when a signal stopped it.
    """
    return asyncio.run(_cancelled_by_signals(work, on_stop))


async def _cancelled_by_signals(work: Coroutine[Any, Any, T], on_stop: Callable[[], None]) -> T:
    task = asyncio.ensure_future(work)

    def stop() -> None:
        on_stop()
        task.cancel()

    with on_signal(stop) as received:
        try:
            return await task
        except asyncio.CancelledError:
            if received:
                raise typer.Exit(received[0]) from None
            raise


@contextlib.contextmanager
def on_signal(stop: Callable[[], object]) -> Iterator[list[Exit]]:
    """Call `stop` on the first SIGINT or SIGTERM; the list then holds the exit status that tells of it.

    A second signal ends the process without waiting. That is safe at any time: Terraform writes its state
    whether or not we are there, and everything else starts over from what it finds.
    """
    received: list[Exit] = []

    def handle(number: signal.Signals) -> None:
        received.append(_SIGNALS[number])
        if len(received) > 1:
            _leave(received[0])
        stop()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield received
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _leave(status: Exit) -> None:
    # os._exit skips what the interpreter would do, so the cursor a live table hid is shown here.
    show_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(show_cursor + _LEAVING)
        sys.stderr.flush()
    os._exit(status)
