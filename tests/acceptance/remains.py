"""What a controller that was killed may have left behind, looked for from outside."""

import asyncio
import fcntl
import json
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from otto.reconcile.control import ask

from .harness import Home

# Variables by which children of a controller are told: Terraform's, and Ansible's with all they start.
_MARKS = ("OTTO_SITE_RUN=", "OTTO_ANSIBLE_RUN=")

_OF_A_SITE = (
    ".terraform.tfstate.lock.info",
    "children.json",
    "plan-*",
    "imports.tf.json",
    "errored.tfstate",
    ".*.spare",
)
_OF_A_HOME = ("sites/.removed-*", "ansible/run-*", "specs.git/**/*.lock")
_POLL = 0.1


def hosts(home: Home) -> list[str]:
    """Hosts under our label, by name; one that exists twice is there twice."""
    listed = subprocess.run(
        ["podman", "ps", "-a", "--filter", f"label=otto.owner={home.owner}", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return sorted(item["Labels"]["otto.host"] for item in json.loads(listed.stdout))


def remains(home: Home, sites: Collection[str], seconds: float = 20.0) -> list[str]:
    """What is there all the time for so many seconds, although nobody is at work on these sites.

    What the living controller uses while it watches comes and goes meanwhile.
    """
    end = time.monotonic() + seconds
    left = _remains(home, sites)
    while left and time.monotonic() < end:
        time.sleep(_POLL)
        left &= _remains(home, sites)
    return sorted(left)


def _remains(home: Home, sites: Collection[str]) -> set[str]:
    folders = [home.home / "sites" / site for site in sites]
    return {*_locks(folders), *_files(home, folders), *children(home)}


def children(home: Home) -> list[str]:
    """Processes that some controller of this home has started and that still run.

    Connections that ssh keeps for the next run, and Podman's service, are meant to stay.
    """
    own = [f"{mark}{home.home.resolve()}".encode() for mark in _MARKS]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:  # it has ended
            continue
        if any(item.startswith(mark) for item in environment for mark in own) and "[mux]" not in command:
            found.append(f"process {process.name}: {command}")
    return found


def answering(home: Home) -> int:
    """Process id of the controller that answers on the home's socket, 0 when none does."""
    answer = asyncio.run(ask(home.home / "control.sock", {"op": "info"}))
    return int(str(answer["pid"])) if answer else 0


def _locks(folders: Iterable[Path]) -> Iterator[str]:
    """Locks that somebody holds."""
    for path in (folder / "lock" for folder in folders):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield f"held: {path}"


def _files(home: Home, folders: Iterable[Path]) -> Iterator[str]:
    """Files that stand for something under way, or were never finished."""
    for folder in folders:
        yield from (str(path) for pattern in _OF_A_SITE for path in folder.glob(pattern))
    yield from (str(path) for pattern in _OF_A_HOME for path in home.home.glob(pattern))
