"""A look through the content of a site, in a child that is bounded in time and memory."""

import asyncio
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from otto.adapters import program
from otto.adapters.git.content import ContentLimits
from otto.adapters.git.remembered import Remembered, rules
from otto.model.canonical import to_data
from otto.model.errors import OttoError
from otto.model.inspection import Finding, Inspection, Severity
from otto.model.reading import read

_REMEMBERED = 256
_MOST_BYTES = 8 * 1024**2
_MOST_WORKERS = 4


class Inspector:
    """Looks through trees; what it saw once costs nothing again.

    Args:
        cache: file of what is known, shared by all sites and kept over restarts.
        limits: how much one site may serve.
        timeout: seconds one look may take.
    """

    def __init__(self, cache: Path, limits: ContentLimits, timeout: float = 120.0) -> None:
        self._cache = cache
        self._limits = limits
        self._timeout = timeout
        self._seen: OrderedDict[tuple[str, tuple[str, ...]], Inspection] = OrderedDict()
        # One at a time: each takes all processors it can use.
        self._turn = asyncio.Lock()

    async def inspect(self, repository: Path, tree: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with a tree; a look that could not be made is a finding itself.

        Args:
            repository: holds the tree.
            tree: its id.
            domains: names the site answers for.
        """
        key = (tree, tuple(sorted(domains)))
        async with self._turn:
            if (seen := self._seen.get(key)) is not None:
                self._seen.move_to_end(key)
                return seen
            found = await asyncio.to_thread(self._known, key) or await self._look(repository, key)
            if not any(finding.rule == "site.uninspected" for finding in found.findings):
                self._seen[key] = found
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        return found

    def _known(self, key: tuple[str, tuple[str, ...]]) -> Inspection | None:
        name = f"tree {rules()} {key[0]} {' '.join(key[1])}"
        return _read(Remembered(self._cache).find([name]).get(name))

    async def _look(self, repository: Path, key: tuple[str, tuple[str, ...]]) -> Inspection:
        request = {
            "repository": str(repository),
            "tree": key[0],
            "domains": key[1],
            "cache": str(self._cache),
            "limits": to_data(self._limits),
            "workers": min(os.cpu_count() or 1, _MOST_WORKERS),
        }
        command = [sys.executable, "-I", "-m", "otto.adapters.git.inspector"]
        given = json.dumps(request).encode()
        ended = await program.run(command, given, seconds=self._timeout, most=_MOST_BYTES)
        found = None if ended.trouble or ended.status else _read(_loaded(ended.output))
        return found or _failed(key[0], ended.trouble or ended.last_words or f"status {ended.status}")


def _loaded(output: bytes) -> object:
    try:
        return json.loads(output)
    except ValueError:
        return None


def _read(data: object) -> Inspection | None:
    try:
        return None if data is None else read(Inspection, data)
    except OttoError:
        return None


def _failed(tree: str, why: str) -> Inspection:
    shown = "".join(character if character.isprintable() else "?" for character in why)[:200]
    mend = "split the site, or raise content.inspectTimeout"
    message = f"the content could not be looked through: {shown}"
    finding = Finding("", 0, 0, "site.uninspected", Severity.ERROR, message, mend)
    return Inspection(tree, errors=1, findings=(finding,))
