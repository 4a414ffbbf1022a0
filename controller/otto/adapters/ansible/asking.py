"""One question to many hosts, answered host by host, with a deadline for each of them.

The deadline of a host begins when Ansible turns to it, so a host that waits for its turn behind others
is not blamed for that; a paused one never delays the answers of others.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from otto.adapters.ansible.command import Command
from otto.adapters.ansible.factreading import MalformedFactError
from otto.adapters.ansible.outcome import message_of
from otto.adapters.ansible.running import Event, running
from otto.model.errors import OttoError
from otto.model.observed import Seen, Unseen
from otto.ports import Clock

T = TypeVar("T")

# From the start of the process to its turning to the first host, on a busy machine.
_START_SECONDS = 20.0
_ANSWERS = frozenset({"runner_on_ok", "runner_on_failed"})


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a host gave no answer."""

    reason: str


Answer = Mapping[str, Any] | Silence


@dataclass(frozen=True, slots=True)
class Question:
    """A module to run on hosts, and the seconds each of them has."""

    module: str
    arguments: str
    seconds: float


class Asked:
    """Hosts that have not answered yet, and until when each of them may."""

    def __init__(self, names: Sequence[str], clock: Clock, seconds: float, forks: int) -> None:
        self._clock = clock
        self._seconds = seconds
        rounds = -(-len(names) // max(forks, 1))
        last = clock.monotonic() + _START_SECONDS + seconds * rounds
        self._deadlines = dict.fromkeys(names, last)

    def started(self, name: str) -> None:
        """Ansible turns to a host: its time begins."""
        if name in self._deadlines:
            self._deadlines[name] = self._clock.monotonic() + self._seconds

    def answered(self, name: str) -> bool:
        """A host answered; False if it is none of ours or its answer is too late."""
        return self._deadlines.pop(name, None) is not None

    def late(self) -> list[str]:
        """Hosts whose time is up; they are waited for no longer."""
        now = self._clock.monotonic()
        names = [name for name, deadline in self._deadlines.items() if deadline <= now]
        for name in names:
            del self._deadlines[name]
        return names

    def rest(self) -> list[str]:
        """All that have not answered; nobody is waited for any longer."""
        names = list(self._deadlines)
        self._deadlines.clear()
        return names

    def patience(self) -> float:
        """Seconds until the next deadline."""
        return max(0.0, min(self._deadlines.values()) - self._clock.monotonic())

    def __bool__(self) -> bool:
        return bool(self._deadlines)


async def ask(
    command: Command, names: Sequence[str], clock: Clock, seconds: float
) -> AsyncGenerator[tuple[str, Answer], None]:
    """Run one module on hosts; (host, what the module answered, or why it did not), as they come.

    Args:
        command: a run of one module.
        names: hosts of its inventory; each of them is answered for exactly once.
        clock: for the deadlines.
        seconds: how long one host may take.
    """
    asked = Asked(names, clock, seconds, command.forks)
    reason = ""
    async with running(command) as run:
        events = run.events()
        following: asyncio.Task[Event] | None = None
        try:
            while asked:
                following = following or asyncio.ensure_future(anext(events))
                await asyncio.wait({following}, timeout=asked.patience())
                for name in asked.late():
                    yield name, Silence(f"no answer within {seconds:g} s")
                if not following.done():
                    continue
                event, following = following.result(), None
                answer = _answer(event, asked)
                if answer is not None:
                    yield answer
        except StopAsyncIteration:
            reason = f"ansible ended before it answered (exit status {run.ending.code})"
        except OttoError as error:
            reason = error.message
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait({following})
    for name in asked.rest():
        yield name, Silence(reason)


def _answer(event: Event, asked: Asked) -> tuple[str, Answer] | None:
    data = event.get("event_data") or {}
    name, kind = str(data.get("host") or ""), event.get("event")
    if kind == "runner_on_start":
        asked.started(name)
    elif kind == "runner_on_unreachable" and asked.answered(name):
        return name, Silence(f"unreachable: {message_of(data.get('res') or {})}")
    elif kind in _ANSWERS and asked.answered(name):
        return name, data.get("res") or {}
    return None


async def seen(
    answers: AsyncGenerator[tuple[str, Answer], None], read: Callable[[Mapping[str, Any]], T], clock: Clock
) -> AsyncGenerator[tuple[str, Seen[T] | Unseen], None]:
    """Answers read into values, with the time they came; what cannot be read is unseen, with the reason."""
    async with aclosing(answers):
        async for name, answer in answers:
            at = clock.now()
            if isinstance(answer, Silence):
                yield name, Unseen(answer.reason, at)
                continue
            try:
                yield name, Seen(read(answer), at)
            except MalformedFactError as error:
                yield name, Unseen(str(error), at)
