"""Bringing processes to an end, gently first."""

import signal
from collections.abc import Awaitable, Callable, Iterable
from signal import Signals

from otto.adapters.terraform import processes
from otto.adapters.terraform.processes import Process
from otto.adapters.terraform.settings import Settings
from otto.ports import Clock

_LOOK = 0.05
LINGER = 0.5

Send = Callable[[Signals], None]
Gone = Callable[[float], Awaitable[bool]]


async def interrupt(send: Send, gone: Gone, settings: Settings) -> bool:
    """End one Terraform: asked to stop, told to, made to.

    The first interrupt lets it finish what it is at and write its state; the second gives that up
    (Terraform's own convention). Only Terraform is signalled: its providers end with it.

    Args:
        send: sends a signal.
        gone: waits so many seconds for the process to end; whether it has.
        settings: how long each step may take.

    Returns:
        Whether the process is gone.
    """
    steps = (
        (signal.SIGINT, settings.grace),
        (signal.SIGINT, settings.kill_grace),
        (signal.SIGTERM, settings.kill_grace),
        (signal.SIGKILL, settings.kill_grace),
    )
    for number, patience in steps:
        send(number)
        if await gone(patience):
            return True
    return False


async def wait_gone(waited: Iterable[Process], patience: float, clock: Clock) -> bool:
    """Wait for processes to end, whoever started them; whether they have."""
    deadline = clock.monotonic() + patience
    waited = tuple(waited)
    while any(map(processes.alive, waited)):
        if clock.monotonic() >= deadline:
            return False
        await clock.sleep(_LOOK)
    return True


async def reap(find: Callable[[], list[Process]], patience: float, clock: Clock) -> list[Process]:
    """End what a Terraform left behind, if it does not end by itself.

    Args:
        find: looks for what is left.
        patience: how long it may take by itself, for a provider that is still making something.
        clock: time.

    Returns:
        The processes that had to be ended.
    """
    left = find()
    if not left or await wait_gone(left, patience, clock):
        return []
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in left:
            processes.send(process, number)
        if await wait_gone(left, LINGER, clock):
            break
    return left
