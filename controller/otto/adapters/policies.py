"""The port `Policies` over a file of the operator's, read again when it changes."""

import stat
from collections.abc import Callable
from pathlib import Path

import structlog

from otto.model.errors import UsageError
from otto.model.policy import FleetPolicy
from otto.model.problem import Problem

log = structlog.get_logger("otto.policy")

Parse = Callable[[str, bytes], tuple[FleetPolicy | None, tuple[Problem, ...]]]
_Stamp = tuple[int, int, int, int] | None

# No policy needs as much; what is longer is cut off, and told to be too big by whoever parses it.
_MOST_BYTES = 1024 * 1024
_UNREAD = (-1, -1, -1, -1)


class FilePolicies:
    """The fleet's policy from a file; without the file, the default policy.

    Attributes:
        problem: what is wrong with the file as it is now, "" when nothing is; the last good policy is in
            force meanwhile.

    Args:
        path: the file.
        parse: reads its text: name, bytes -> the policy, None with problems.

    Raises:
        UsageError: the file is bad from the start.
    """

    def __init__(self, path: Path, parse: Parse) -> None:
        self._path = path
        self._parse = parse
        self._policy = FleetPolicy()
        self._stamp: _Stamp = None
        self.problem = ""
        self._read()
        if self.problem:
            raise UsageError(f"the fleet's policy is bad: {self.problem}", mend=f"otto validate {path}")

    def fleet(self) -> FleetPolicy:
        """The policy that is in force: the newest good one. A changed file is read again."""
        if self._read() and self.problem:
            log.error("policy.bad", file=str(self._path), problem=self.problem)
        return self._policy

    def _read(self) -> bool:
        """Read the file if it is another than before; whether there was anything new."""
        known = self.problem
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return False
            self.problem = self._take(stamp)
            self._stamp = stamp
        except OSError as error:
            # It is read again as soon as it can be, though it has not changed since.
            self._stamp = self._stamp and _UNREAD
            self.problem = f"{self._path} cannot be read: {error.strerror}"
            return self.problem != known
        return True

    def _take(self, stamp: _Stamp) -> str:
        """Put the file's policy in force; what is wrong with it otherwise."""
        if stamp is None:
            # An editor may be about to write it anew; and whoever removes it removes limits.
            return f"{self._path} is gone; what it said stays in force until OttO is started again"
        policy, problems = self._parse(str(self._path), _bytes(self._path))
        if policy is not None and policy != self._policy:
            self._policy = policy
            log.info("policy.changed", file=str(self._path))
        if stamp[-1] & (stat.S_IWGRP | stat.S_IWOTH):
            log.warning("policy.writable", file=str(self._path), mend=f"chmod go-w {self._path}")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return f"{problems[0]}{more}" if problems else ""


def _stamp(path: Path) -> _Stamp:
    """Whatever tells a changed file from the one before, its mode last; None for no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def _bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES)
