"""Following a file that another process writes."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

LONGEST_LINE = 1 << 20
_CHUNK = 1 << 16


class Tail:
    """Reads the whole lines that have come since the last look.

    A line longer than `LONGEST_LINE` bytes is dropped: no message of Terraform's is that long, and
    memory has to stay bounded whatever a child prints.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._rest = b""
        self._dropping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def lines(self) -> list[bytes]:
        """Lines that are complete by now, without their line ends."""
        found: list[bytes] = []
        while chunk := os.read(self._file, _CHUNK):
            *whole, rest = (self._rest + chunk).split(b"\n")
            if whole and self._dropping:
                whole, self._dropping = whole[1:], False
            found.extend(whole)
            self._keep(rest)
        return found

    def remainder(self) -> list[bytes]:
        """Everything that is left once the writer has ended, an unfinished last line included."""
        found = self.lines()
        rest, self._rest = self._rest, b""
        return [*found, rest] if rest else found

    def _keep(self, rest: bytes) -> None:
        if len(rest) > LONGEST_LINE:
            self._dropping = True
        self._rest = b"" if self._dropping else rest
