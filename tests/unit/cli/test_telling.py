"""A running controller hears at once of what people say."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import PLAN, Guarded

from otto.model.errors import UsageError
from otto.reconcile.control import Answer, Control, Request


class Listener:
    """A controller that does nothing but listen."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.due: list[str] = []
        self._deaf = deaf

    async def _info(self, _: Request) -> AsyncIterator[Answer]:
        yield {"done": True, "exit": 0, "pid": 1, "version": "0"}

    async def _due(self, request: Request) -> AsyncIterator[Answer]:
        if self._deaf:
            raise UsageError("not now")
        self.due.append(str(request["site"]))
        yield {"done": True, "exit": 0}

    @contextmanager
    def listening(self, home: Path) -> Iterator[None]:
        """Listen on a home's socket, in a thread of its own."""
        ready, loop = threading.Event(), asyncio.new_event_loop()
        over = asyncio.Event()

        async def serve() -> None:
            control = Control(home / "control.sock", {"info": self._info, "due": self._due})
            await control.start()
            ready.set()
            await over.wait()
            await control.stop()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        try:
            assert ready.wait(10)
            yield
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(10)
            loop.close()


@pytest.fixture
def guarded(stage: Stage) -> Guarded:
    guarded = Guarded(stage)
    guarded.knows()
    guarded.knows("shop")
    guarded.holds()
    return guarded


def test_the_site_is_due_at_once(guarded: Guarded) -> None:
    listener = Listener()
    with listener.listening(guarded.stage.home):
        assert "controller" not in guarded.says("approve", "acme", PLAN)
    assert listener.due == ["acme"]


def test_when_all_are_thawed_those_that_were_held_up_are_due(guarded: Guarded) -> None:
    guarded.says("freeze", "--reason", "sale")
    listener = Listener()
    with listener.listening(guarded.stage.home):
        guarded.says("thaw")
    assert listener.due == ["acme"]


def test_what_was_said_counts_though_the_controller_will_not_hear(guarded: Guarded) -> None:
    with Listener(deaf=True).listening(guarded.stage.home):
        said = guarded.says("approve", "acme", PLAN)
    assert "the controller did not answer, it takes note at its next look" in said
    assert len(guarded.grants()) == 1
