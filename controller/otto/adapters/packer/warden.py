"""Somebody who stays: should we be killed in the middle of a build, what it left goes all the same.

It is a shell that waits at a pipe, and costs nothing: whoever is killed cannot say that all is over, and the
kernel closes the pipe for them.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence

from otto.adapters.cancellation import unbroken

_SCRIPT = 'read -r said; [ "$said" = over ] || exec "$@"'


@contextlib.asynccontextmanager
async def stationed(command: Sequence[str]) -> AsyncIterator[None]:
    """Have a command run when this process dies while the block lasts; none for an empty one.

    Args:
        command: the executable and its arguments.
    """
    if not command:
        yield
        return
    ear, mouth = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            warden = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", _SCRIPT, "sh", *command),
                stdin=ear,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is not for it
            )
        finally:
            os.close(ear)
        try:
            yield
        finally:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it
                os.write(mouth, b"over\n")
            await unbroken(warden.wait())
    finally:
        os.close(mouth)
