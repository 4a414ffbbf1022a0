"""Who or what keeps changing files of hosts: a program sent to them when somebody wants to know.

It is not installed: it is rarely needed, and a role that brought it would be a change to every host. What a
host answers is written by whoever changes it, so nothing of it is believed to be short, text or harmless.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.calling import Calls
from otto.adapters.ansible.options import AnsibleOptions
from otto.adapters.ansible.scrub import one_line
from otto.model.host import Host

SILENT = "does not answer"
UNREADABLE = "gives no answer that can be read"
MOST_LINES = 24
LONGEST_LINE = 240
_SECONDS = 8
_CONNECT_SECONDS = 6.0
_MOST_PATHS = 16
_LONGEST_PATH = 1024
_LONGEST_ANSWER = 65_536
_PROGRAM = ("questions", "culprits.py")

# It learns where we come from ourselves, so that our own visits are told from those of others.
COMMAND = (
    f'sudo -n timeout -k 1 {_SECONDS} /usr/bin/python3 -IS - "$SSH_CONNECTION" 2>/dev/null'
    f" | head -c {_LONGEST_ANSWER}"
)


async def culprits(
    calls: Calls, options: AnsibleOptions, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Ask hosts about some of their files; by host, what each tells, in words.

    Args:
        calls: how they are reached.
        options: where the program is, and how many are asked at once.
        hosts: whom to ask.
        paths: host -> files; a host without any is not asked and has nothing to tell.
    """
    found: dict[str, tuple[str, ...]] = {host.name: () for host in hosts}
    told = [host for host in hosts if paths.get(host.name)]
    if not told:
        return found
    text = await asyncio.to_thread(source, options.folder)
    said = {host.name: program(text, paths[host.name]) for host in told}
    asked = calls.ask(
        told,
        COMMAND,
        seconds=_SECONDS + _CONNECT_SECONDS,
        at_once=options.facts_forks,
        said=said,
    )
    async with aclosing(asked):
        async for name, answer in asked:
            found[name] = read(answer)
    return found


def source(folder: Path) -> str:
    """The program's text, out of `infra/ansible`."""
    return folder.joinpath(*_PROGRAM).read_text(encoding="utf-8")


def program(text: str, paths: Sequence[str]) -> bytes:
    """The program as it is sent, with the files it is about.

    Args:
        text: its source.
        paths: names of files; they come from hosts, and are given as nothing but literals.
    """
    asked = [
        path for path in paths if path.startswith("/") and len(path) <= _LONGEST_PATH and "\0" not in path
    ]
    return f"{text}\nmain({asked[:_MOST_PATHS]!a})\n".encode()


def read(answer: Answer) -> tuple[str, ...]:
    """The lines of an answer: few, short, printable, without secrets."""
    if isinstance(answer, Silence):
        return (SILENT,)
    try:
        value = json.loads(str(answer.get("stdout") or ""))
    except (ValueError, RecursionError):
        return (UNREADABLE,)
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        return (UNREADABLE,)
    lines = (one_line(line[: 4 * LONGEST_LINE], LONGEST_LINE) for line in value[:MOST_LINES])
    return tuple(line for line in lines if line)
