"""Ctrl-C and `kill`: what was started is removed all the same, and that is not broken off."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed() -> None:
    """Have every signal that ends us end us as Ctrl-C does."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Until the block has ended, signals that would end us only say that there is no need."""
    before = {number: signal.signal(number, _wait) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(_number: int, _frame: FrameType | None) -> None:
    print("what was started is being removed already", file=sys.stderr, flush=True)  # noqa: T201
