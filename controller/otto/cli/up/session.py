"""`otto up` from start to stop."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace

from otto import __version__
from otto.cli.board import Board
from otto.cli.choosing import presenter
from otto.cli.exits import Exit
from otto.cli.interpreter import settle
from otto.cli.invocation import Invocation
from otto.cli.presenting import JsonPresenter, PlainPresenter, Presenter
from otto.cli.up import farewell
from otto.cli.up.expectation import Expectation, State, expect
from otto.cli.up.listening import listen, url_of
from otto.cli.up.served import Serving
from otto.cli.up.serving import api
from otto.model.errors import UsageError
from otto.model.status import ConditionType
from otto.reconcile.controller import Controller
from otto.reconcile.events import Event
from otto.reconcile.lock import home_lock

# A push that concerns no site makes no event: look at the fleet this often all the same.
_GLANCE = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How `otto up` was called.

    Attributes:
        until_ready: end as soon as everything is Ready, or surely will not be.
        timeout: seconds until then at most.
        plain: one line per change.
        json: one JSON event per line.
    """

    until_ready: bool = False
    timeout: float = 600.0
    plain: bool = False
    json: bool = False


class Session:
    """One `otto up`.

    Args:
        invocation: the call.
        options: how it was called.
    """

    def __init__(self, invocation: Invocation, options: Options) -> None:
        if options.plain and options.json:
            raise UsageError("--plain and --json exclude each other")
        self._invocation = invocation
        self._settings = invocation.settings
        self._options = options
        self._otto = farewell.command()
        self._stirred = asyncio.Event()
        self._shown: Presenter | None = None
        self._board = Board((), 0.0)
        self._url = ""

    async def run(self) -> Exit:
        """Run until stopped; with `until_ready`, until everything is Ready.

        Raises:
            OttoError: it could not start.
        """
        composition, settings = self._invocation.composition, self._settings
        try:
            foundry = functools.partial(composition.open_foundry, settings)
            how = Serving.of(settings, self._invocation.environ, foundry)
            with home_lock(settings.home), closing(listen(settings.api)) as listener:
                self._url = url_of(listener, tls=how.certificate is not None)
                self._say([(f"OttO {__version__} over {farewell.nearby(settings.home)}", "dim")])
                if composition.seed_if_empty(settings):
                    self._say([("an example site is in the new repository of specs", "dim")])
                async with composition.open_kit(settings) as kit:
                    controller = composition.make_controller(kit, settings)
                    async with api(controller, listener, how) as health, self._started(controller) as task:
                        health.watch(task)
                        return await self._watch(controller, task)
        except asyncio.CancelledError:
            if self._options.until_ready:
                raise
            self._say(farewell.goodbye(*self._left(), self._otto))
            return Exit.OK

    def stopping(self) -> None:
        """Say that the first signal was heard."""
        words = "stopping: what is under way is ended in order (Ctrl-C again: do not wait)"
        if self._shown is not None:
            # The live table draws over what anybody else prints.
            self._shown.note(words)
        else:
            self._invocation.err.print(words)

    @asynccontextmanager
    async def _started(self, controller: Controller) -> AsyncIterator["asyncio.Task[None]"]:
        await controller.start()
        settle()
        self._board = Board(controller.fleet.names(), controller.kit.clock.monotonic())
        controller.kit.bus.subscribe(self._hear)
        task = asyncio.create_task(controller.run(), name="controller")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            _raise_first(task)

    def _hear(self, event: Event) -> None:
        if self._shown is not None:
            self._shown.event(event)
        else:
            self._board.apply(event, 0.0)
        self._stirred.set()

    async def _watch(self, controller: Controller, task: "asyncio.Task[None]") -> Exit:
        found, in_time = await self._first_look(controller, task)
        ready = found.fulfilled and any(found.of(State.READY))
        self._tell(controller, found, ready=ready, in_time=in_time)
        if self._options.until_ready:
            return Exit.OK if ready else Exit.FAILED
        await self._go_on(controller, task, welcomed=ready)
        return Exit.OK

    async def _first_look(
        self, controller: Controller, task: "asyncio.Task[None]"
    ) -> tuple[Expectation, bool]:
        """Show the table until everything is settled; whether that was in time."""
        clock = controller.kit.clock
        limit = asyncio.ensure_future(clock.sleep(self._options.timeout))
        invocation, options = self._invocation, self._options
        with presenter(invocation, clock, self._board, plain=options.plain, json=options.json) as self._shown:
            try:
                while True:
                    found = self._expectation(controller)
                    if found.settled:
                        return found, True
                    if self._options.until_ready and limit.done():
                        return found, False
                    await self._stir(task)
            finally:
                limit.cancel()

    async def _go_on(self, controller: Controller, task: "asyncio.Task[None]", *, welcomed: bool) -> None:
        """One line per change until stopped; the welcome once, when everything is Ready at last."""
        clock, out = controller.kit.clock, self._invocation.out
        kind = JsonPresenter if self._options.json else PlainPresenter
        with kind(out, self._board, clock) as self._shown:
            while True:
                await self._stir(task)
                found = self._expectation(controller)
                if not welcomed and found.settled and found.fulfilled and found.of(State.READY):
                    self._tell(controller, found, ready=True, in_time=True)
                    welcomed = True

    async def _stir(self, task: "asyncio.Task[None]") -> None:
        """Wait for an event, for a moment at most; an end of the controller's work ends ours."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GLANCE):
                await self._stirred.wait()
        self._stirred.clear()
        if task.done():
            _raise_first(task)

    def _expectation(self, controller: Controller) -> Expectation:
        fleet, source = controller.fleet, controller.watcher.state
        if not source.fetched_at:
            return Expectation.of_unread_source(source.error)
        catalogue = fleet.catalogue
        wanted = [name for name in fleet.names() if fleet.wants(name)]
        found = expect(self._board.rows(), wanted, catalogue.problems, catalogue.loose)
        return replace(found, unsigned=source.unsigned)

    def _tell(self, controller: Controller, found: Expectation, *, ready: bool, in_time: bool) -> None:
        if self._options.json:
            self._note(found, ready=ready)
        elif ready:
            self._welcome(controller, found)
        else:
            if not in_time:
                self._say([(f"not everything is Ready after {self._options.timeout:g} s", "bold red")])
            self._say(farewell.explain(found))
            if not found.sites and not found.loose:
                self._say(farewell.nothing(self._settings))

    def _note(self, found: Expectation, *, ready: bool) -> None:
        if self._shown is not None:
            why = "; ".join(f"{site.name}: {site.why}" for site in found.of(State.COMING, State.STUCK))
            self._shown.note(why, "ready" if ready else "not ready")

    def _welcome(self, controller: Controller, found: Expectation) -> None:
        sites = []
        for site in found.of(State.READY):
            row, known = self._board.row(site.name), controller.fleet.in_force(site.name)
            if row and row.status and known:
                sites.append(farewell.Ready(row.status, known.spec))
        self._say([("", "")])
        if self._options.until_ready:
            self._say(farewell.ready(sites, self._otto))
        else:
            self._say(farewell.welcome(sites, self._settings, self._url, self._otto))
        self._say(farewell.remarks(found))

    def _left(self) -> tuple[int, int]:
        """How many sites serve, and how many have hosts that do not yet."""
        there = [row.status for row in self._board.rows() if row.status and row.status.hosts and not row.gone]
        serving = sum(status.holds(ConditionType.SERVING) for status in there)
        return serving, len(there) - serving

    def _say(self, lines: Iterable[farewell.Line]) -> None:
        if self._options.json:
            return
        from rich.text import Text  # noqa: PLC0415  (see `console`)

        for words, style in lines:
            self._invocation.out.print(Text(words, style), soft_wrap=True)


def _raise_first(task: "asyncio.Task[None]") -> None:
    """What ended the controller: a task group wraps it, which tells a person nothing.

    Raises:
        Exception: the first error of the controller's tasks.
    """
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    raise error or RuntimeError("the controller's work ended without being asked to")
