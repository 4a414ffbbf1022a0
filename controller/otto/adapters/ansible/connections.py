"""SSH connections kept between runs."""

import asyncio
import contextlib
from pathlib import Path

_SECONDS = 3.0


async def close_connections(control: Path) -> None:
    """Ask every kept connection to end; one that does not answer ends by itself in a minute.

    Args:
        control: folder of the control sockets; removed too, unless somebody uses it.
    """
    await asyncio.gather(*(_close(path) for path in _sockets(control)))
    _remove(control)


def _remove(control: Path) -> None:
    with contextlib.suppress(OSError):
        control.rmdir()


def _sockets(control: Path) -> list[Path]:
    return [path for path in control.iterdir() if path.is_socket()] if control.is_dir() else []


async def _close(socket: Path) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        process = await asyncio.create_subprocess_exec(
            *("ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "otto"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
