"""The record of a site's child processes, for the controller that comes after a killed one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from otto.adapters.terraform import processes
from otto.adapters.terraform.document import mapping, sequence, text, whole
from otto.adapters.terraform.folder import Folder, write
from otto.adapters.terraform.processes import Process

VARIABLE = "OTTO_SITE_RUN"


@dataclass(frozen=True, slots=True)
class Child:
    """A child process and what it was started for."""

    process: Process
    command: str
    since: str = ""


def marker(folder: Folder, token: str) -> str:
    """The environment variable's value that marks the children of one command, and theirs."""
    return f"{_prefix(folder)}{token}"


def record(folder: Folder, child: Child) -> None:
    """Remember a child that runs now; a site has one at a time."""
    entry = {
        "pid": child.process.pid,
        "start": child.process.start,
        "boot": processes.boot(),
        "command": child.command,
        "since": child.since,
    }
    write(folder.children, json.dumps({"children": [entry]}) + "\n")


def start(folder: Folder, pid: int, command: str, now: datetime) -> None:
    """Remember a child just started, unless it has ended already."""
    if process := processes.identify(pid):
        record(folder, Child(process, command, now.isoformat()))


def forget(folder: Folder) -> None:
    """Forget children: they have ended."""
    folder.children.unlink(missing_ok=True)


def recorded(folder: Folder) -> list[Child]:
    """Children of the record that still run."""
    try:
        content = json.loads(folder.children.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    here = processes.boot()
    return [
        child
        for entry in map(mapping, sequence(mapping(content).get("children")))
        if text(entry.get("boot")) == here
        if processes.alive((child := _child(entry)).process)
    ]


def survivors(folder: Folder) -> list[Child]:
    """Terraform processes of the site that still run, recorded or not.

    A controller may be killed between starting a child and recording it; the mark in the child's
    environment tells all the same.
    """
    known = recorded(folder)
    seen = {child.process for child in known}
    found = processes.marked(VARIABLE, _prefix(folder))
    return known + [
        Child(process, "terraform")
        for process in found
        if process not in seen and processes.session(process) == process.pid
    ]


def orphans(folder: Folder) -> list[Process]:
    """Marked processes whose Terraform is gone: providers, and what they started in its session.

    One that made a session of its own meant to stay and is left alone.
    """
    marked = processes.marked(VARIABLE, _prefix(folder))
    return [process for process in marked if _orphaned(process)]


def _orphaned(process: Process) -> bool:
    leader = processes.session(process)
    return leader != process.pid and processes.identify(leader) is None


def _prefix(folder: Folder) -> str:
    return f"{folder.path}#"


def _child(fields: Mapping[str, Any]) -> Child:
    process = Process(whole(fields.get("pid")), whole(fields.get("start")))
    return Child(process, text(fields.get("command")), text(fields.get("since")))
