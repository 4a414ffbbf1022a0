"""Reading sites' states, which is asked for every few seconds: from the file once, then from memory.

A file is read anew when its stat(2) differs. One that was written a moment ago is not remembered yet: the
kernel's clock ticks in milliseconds, and a second write within a tick could look the same.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from otto.adapters.terraform import state as states
from otto.adapters.terraform.folder import Folder
from otto.adapters.terraform.session import load, unreadable
from otto.adapters.terraform.state import State
from otto.model.errors import TerminalError
from otto.model.observed import InfrastructureState
from otto.ports import Clock

_READ_AGAIN = 20
_READ_PAUSE = 0.1
_SETTLED = 0.1  # seconds after which a file's stat can be trusted to tell the next write

Signature = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Remembered:
    signature: Signature
    host_types: Mapping[str, str]
    state: InfrastructureState


class StateReader:
    """Reads states, and remembers what they said.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def infrastructure(
        self, folder: Folder, host_types: Mapping[str, str]
    ) -> InfrastructureState | None:
        """What a site's state holds; None when there is none.

        Args:
            folder: the site's.
            host_types: resource type -> dotted path of the attribute that holds a host's name.

        Raises:
            TerminalError: the state cannot be read.
        """
        signature = _signature(folder)
        known = self._remembered.get(folder.site)
        if known and (known.signature, known.host_types) == (signature, host_types):
            return known.state
        self._remembered.pop(folder.site, None)
        found = await self.load(folder)
        if found is None:
            return None
        try:
            state = states.infrastructure(found, host_types)
        except ValueError as error:
            raise unreadable(folder, error) from error
        if signature and signature == _signature(folder) and self._is_settled(signature):
            self._remembered[folder.site] = _Remembered(signature, host_types, state)
        return state

    async def load(self, folder: Folder) -> State | None:
        """Read the state; again when Terraform is at it, which writes it in place.

        Raises:
            TerminalError: the state cannot be read.
        """
        for _ in range(_READ_AGAIN):
            try:
                return load(folder)
            except TerminalError:
                if not folder.children.exists():
                    raise
                await self._clock.sleep(_READ_PAUSE)
        return load(folder)

    def _is_settled(self, signature: Signature) -> bool:
        *_, modified, changed = signature
        return self._clock.now().timestamp() - max(modified, changed) / 1e9 > _SETTLED


def _signature(folder: Folder) -> Signature | None:
    """What tells one content of the state file from another; None when there is no file."""
    try:
        found = os.stat(folder.state)  # noqa: PTH116  (Path.stat costs twice as much)
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
