"""After a killed controller: wait for what it left running, then clear what nobody holds."""

import os
from collections.abc import Sequence

from otto.adapters.terraform import children, ending, lock, processes
from otto.adapters.terraform.children import Child
from otto.adapters.terraform.folder import Folder
from otto.adapters.terraform.lock import Owner
from otto.adapters.terraform.settings import Settings
from otto.model.errors import WaitingError
from otto.model.progress import Progress, Report
from otto.ports import Clock

_LOOK = 0.1
_TELL_EVERY = 5.0


async def settle(folder: Folder, settings: Settings, clock: Clock, report: Report) -> None:
    """Return once nothing of an earlier controller works on the site any more.

    Raises:
        WaitingError: a living controller or command is at it, or something that cannot be ended.
    """
    folder.sweep()
    if not folder.exists():
        return
    if _clear(folder, clock):
        return
    await _outlive(folder, settings, clock, report)
    # What was killed gives its lock back when the kernel comes to it.
    deadline = clock.monotonic() + settings.kill_grace
    while not _clear(folder, clock):
        if clock.monotonic() >= deadline:
            raise _stuck(folder)
        await clock.sleep(_LOOK)


def _clear(folder: Folder, clock: Clock) -> bool:
    """Take the lock if it is free, and clear what nobody holds; whether it was.

    A folder that has gone meanwhile is clear.
    """
    if not folder.exists():
        return True
    descriptor = lock.attempt(folder, Owner.this_process("settle", clock.now()))
    if descriptor is None:
        return False
    try:
        # Whoever still works holds the lock, too; but where a record was left, it is worth a look.
        if folder.children.exists() and children.survivors(folder):
            return False
        children.forget(folder)
        folder.state_lock.unlink(missing_ok=True)
        # A plan holds secrets, and nobody is left who would apply it.
        folder.drop_plans()
        folder.drop_spares()
        return True
    finally:
        os.close(descriptor)


async def _outlive(folder: Folder, settings: Settings, clock: Clock, report: Report) -> None:
    deadline = clock.monotonic() + settings.settle_limit
    told = clock.monotonic() - _TELL_EVERY
    while survivors := children.survivors(folder):
        _refuse_living(folder)
        if clock.monotonic() >= deadline:
            await _end(survivors, settings, clock)
            break
        if clock.monotonic() - told >= _TELL_EVERY:
            told = clock.monotonic()
            report(Progress(f"waiting for {_names(survivors)}, left by an earlier controller"))
        await clock.sleep(_LOOK)
    else:
        _refuse_living(folder)
    await ending.reap(lambda: children.orphans(folder), settings.grace, clock)


def _refuse_living(folder: Folder) -> None:
    """Leave a site alone that somebody living is at.

    Raises:
        WaitingError: somebody is.
    """
    if lock.owner(folder.lock).lives and lock.is_taken(folder):
        raise lock.busy(folder)


async def _end(survivors: Sequence[Child], settings: Settings, clock: Clock) -> None:
    for child in survivors:
        process = child.process
        await ending.interrupt(
            lambda number, process=process: processes.send(process, number),  # type: ignore[misc]
            lambda patience, process=process: ending.wait_gone([process], patience, clock),  # type: ignore[misc]
            settings,
        )


def _stuck(folder: Folder) -> WaitingError:
    holders = ", ".join(map(str, processes.holders(folder.lock)))
    return WaitingError(
        f"site {folder.site} is still held" + (f" by process {holders}" if holders else ""),
        mend="end that process",
    )


def _names(survivors: Sequence[Child]) -> str:
    return ", ".join(f"terraform {child.command} (process {child.process.pid})" for child in survivors)
