"""Web servers taken out of balancers' rotation and put back: one question to each balancer, all at once.

It goes over SSH directly and not by a play, as draining does: a play would cost seconds for each batch of a
rollout. The program that is sent says how haproxy is spoken to (`infra/ansible/questions/rotation.py`). What
a balancer answers is written by whoever has it, so nothing of it is believed to be short, text or harmless.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from otto.adapters.ansible.asking import Answer, Silence
from otto.adapters.ansible.calling import Calls
from otto.adapters.ansible.scrub import one_line
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Host
from otto.model.progress import Progress, Report

# What it takes besides: to connect, to start Python on half a processor, to speak to haproxy.
MARGIN_SECONDS = 15.0
_CONNECT_SECONDS = 6.0
_LONGEST_ANSWER = 65_536
_LONGEST_COMPLAINT = 300
_MOST_SESSIONS = 1 << 20
# The role haproxy takes no other names (`haproxy_name_pattern`).
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}")
_PROGRAM = ("questions", "rotation.py")


class StillServedError(Exception):
    """A balancer answers and does not do as told; the message says why."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What balancers are told: the program's verb, about whom, and for how many seconds at most."""

    verb: str
    servers: tuple[str, ...]
    seconds: float

    def program(self, text: str) -> bytes:
        """The program as it is sent."""
        return f"{text}\nmain({self.verb!a}, {list(self.servers)!a}, {float(self.seconds)!r})\n".encode()

    @property
    def command(self) -> str:
        """The command that reads it."""
        seconds = max(1, round(self.seconds + MARGIN_SECONDS))
        python = f"sudo -n timeout -k 1 {seconds} /usr/bin/python3 -IS -"
        return f"{python} 2>/dev/null | head -c {_LONGEST_ANSWER}"


class Rotation:
    """Who gets visitors, at a site's balancers.

    Args:
        calls: how balancers are reached.
        folder: `infra/ansible`.
    """

    def __init__(self, calls: Calls, folder: Path) -> None:
        self._calls = calls
        self._folder = folder

    async def set_aside(
        self, balancers: Sequence[Host], servers: Sequence[str], seconds: float, report: Report
    ) -> dict[str, int]:
        """Have balancers send nobody to servers; server -> visitors that were left when the time was up.

        Args:
            balancers: all of the site's.
            servers: web servers, by name.
            seconds: how long visitors have to finish.
            report: hears what became of each balancer.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer answers and goes on sending visitors there, or has nobody else to
                send them to. Others may have set the servers aside.
        """
        left = dict.fromkeys(servers, 0)
        for count in await self._all(balancers, _turn("set_aside", servers, seconds), report):
            for server in left:
                left[server] += count.get(server, 0)
        return left

    async def bring_back(
        self, balancers: Sequence[Host], servers: Sequence[str], seconds: float, report: Report
    ) -> None:
        """Have balancers send visitors to servers again; the arguments are those of `set_aside`.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer that answers does not call one of them UP in time.
        """
        await self._all(balancers, _turn("bring_back", servers, seconds), report)

    async def _all(self, balancers: Sequence[Host], turn: Turn, report: Report) -> list[Mapping[str, int]]:
        """Tell balancers; what each that does as told counts."""
        if not balancers or not turn.servers:
            return []
        counts, refused = list[Mapping[str, int]](), list[str]()
        async with aclosing(self._ask(balancers, turn)) as asked:
            async for name, answer in asked:
                try:
                    count, words = read(answer, turn)
                    counts.append(count)
                except StillServedError as error:
                    words = str(error)
                    refused.append(f"{name}: {words}")
                report(Progress(words, host=name))
        if refused:
            verb = "not taken out of" if turn.verb == "set_aside" else "not back in"
            raise TransientError(f"{', '.join(turn.servers)} {verb} rotation at {'; '.join(sorted(refused))}")
        return counts

    async def _ask(self, balancers: Sequence[Host], turn: Turn) -> AsyncGenerator[tuple[str, Answer], None]:
        text = await asyncio.to_thread(self._folder.joinpath(*_PROGRAM).read_text, encoding="utf-8")
        asked = self._calls.ask(
            balancers,
            turn.command,
            seconds=turn.seconds + MARGIN_SECONDS + _CONNECT_SECONDS,
            at_once=len(balancers),
            said=dict.fromkeys((host.name for host in balancers), turn.program(text)),
        )
        async with aclosing(asked):
            async for name, answer in asked:
                yield name, answer


def _turn(verb: str, servers: Sequence[str], seconds: float) -> Turn:
    if strange := [server for server in servers if not _NAME.fullmatch(server)]:
        raise TerminalError(f"no web server has the name {strange[0][:_LONGEST_COMPLAINT]!a}")
    return Turn(verb, tuple(dict.fromkeys(servers)), max(0.0, seconds))


def read(answer: Answer, turn: Turn) -> tuple[Mapping[str, int], str]:
    """How many visitors were left at servers, and what became of them in words.

    Raises:
        StillServedError: the balancer does not do as told, or nobody can tell.
    """
    if isinstance(answer, Silence):
        return {}, f"left out, it does not answer: {answer.reason}"
    said = _object(str(answer.get("stdout") or ""))
    if "off" in said:
        return {}, f"left out, haproxy does not run: {_words(said['off'])}"
    if "refused" in said:
        raise StillServedError(_words(said["refused"]))
    left = said.get("left")
    if not isinstance(left, dict):
        raise StillServedError("gives no answer that can be read")
    count = {server: _count(left.get(server)) for server in turn.servers}
    return count, _told(turn, sum(count.values()))


def _told(turn: Turn, left: int) -> str:
    names = ", ".join(turn.servers)
    if turn.verb != "set_aside":
        return f"{names} back in rotation"
    rest = f"; visitors left: {left}" if left else ""
    return f"{names} out of rotation{rest}"


def _object(said: str) -> Mapping[str, object]:
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return min(max(value, 0), _MOST_SESSIONS) if isinstance(value, int) else 0


def _words(value: object) -> str:
    return one_line(str(value)[: 4 * _LONGEST_COMPLAINT], _LONGEST_COMPLAINT)
