"""A home on this machine: it answers out of its store, and asks the controller that runs over it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from otto.adapters import logfile
from otto.cli import glance, naming, presence, speaking, telling
from otto.desk.heard import Heard
from otto.desk.house import Builds, Lives, Way
from otto.desk.pipelines import StartPipeline
from otto.desk.question import Question
from otto.desk.seen import Around
from otto.desk.sources import StatusSource
from otto.model.errors import TransientError
from otto.model.plan import StepKind
from otto.model.saying import Speaker

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation
    from otto.config import Settings
    from otto.model.policy import FleetPolicy
    from otto.ports import Store
    from otto.reconcile.foundry import Foundry
    from otto.reconcile.inspect import Inspector
    from otto.reconcile.kit import Kit

R = TypeVar("R")
T = TypeVar("T")

_NO_STEPS: frozenset[StepKind] = frozenset()


class HomeHouse:
    """The port `House` over an OTTO_HOME; and the desk where questions about it are put.

    Args:
        invocation: the call.
    """

    labels: Mapping[str, str] = {}

    def __init__(self, invocation: "Invocation") -> None:
        self._invocation = invocation
        self._kept: Store | None = None
        self._book: Builds | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self.has_store:  # whoever needs one says so
            self._kept = await self._open.enter_async_context(naming.reading_store(self._invocation))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._kept = self._book = None
        await self._open.aclose()

    async def ask(self, question: Question[R]) -> R:
        """See `Desk`."""
        return await question.answer(self)

    @property
    def lives(self) -> Lives:
        """See `House`."""
        api = self._invocation.settings.api
        return Lives(timedelta(days=api.tokenDays), timedelta(days=api.tokenMaxDays))

    @property
    def log(self) -> Path:
        """See `House`."""
        return logfile.file_of(self._invocation.settings.home)

    def now(self) -> datetime:
        """See `House`."""
        return self._invocation.now()

    def speaker(self, by: str | None) -> Speaker:
        """See `House`: whoever owns the home may speak for others."""
        return speaking.speaker(self._invocation, by)

    async def require_seen(self, site: str) -> None:
        """See `House`: everything is."""

    async def seen(self) -> frozenset[str] | None:
        """See `House`: everything is."""
        return None

    def require_all(self, what: str) -> None:
        """See `House`: everybody may."""

    def quick(self) -> AbstractAsyncContextManager[StatusSource]:
        """See `House`."""
        return nullcontext(self._kept) if self._kept else glance.opened(self._invocation)

    def store(self) -> "AbstractAsyncContextManager[Store]":
        """See `House`."""
        return nullcontext(self._kept) if self._kept else naming.reading_store(self._invocation)

    @property
    def has_store(self) -> bool:
        """See `House`."""
        return naming.has_store(self._invocation.settings)

    def require_store(self) -> None:
        """See `House`."""
        naming.require_store(self._invocation.settings)

    async def with_kit(self, work: "Callable[[Kit], Awaitable[T]]", seconds: float) -> T:  # noqa: ARG002  (nobody waits here but who asked)
        """See `House`."""
        async with self._journalled(self._invocation.composition.open_kit) as kit:
            return await work(kit)

    @asynccontextmanager
    async def _journalled(
        self, opening: "Callable[[Settings], AbstractAsyncContextManager[T]]"
    ) -> AsyncIterator[T]:
        """What opens with the settings, while what it logs goes to standard error."""
        from otto.cli.journal import journal  # noqa: PLC0415  (with what is opened)

        with journal(self._invocation, file=False):
            async with opening(self._invocation.settings) as found:
                yield found

    async def inspector(self, kit: "Kit") -> "Inspector":
        """See `House`."""
        from otto.reconcile.inspect import Inspector  # noqa: PLC0415  (imports the loop)

        found = Inspector(kit)
        await found.load()
        return found

    async def around(self) -> Around:
        """See `House`."""
        return presence.around(self._invocation.settings.home)

    async def due(self, sites: Sequence[str], steps: frozenset[StepKind] = _NO_STEPS) -> Heard:
        """See `House`."""
        return await telling.tell(self._invocation, sites, steps)

    async def images_changed(self) -> Heard:
        """See `House`."""
        return await telling.tell_of_images(self._invocation)

    async def start_pipeline(self, site: str, by: str) -> str:
        """See `House`."""
        from otto.reconcile.control import ask  # noqa: PLC0415  (only where there is somebody to ask)
        from otto.reconcile.controller import SOCKET  # noqa: PLC0415

        home = self._invocation.settings.home
        naming.require_store(self._invocation.settings)
        answer = await ask(home / SOCKET, {"op": "pipeline", "site": site, "by": by}, StartPipeline.patience)
        if answer is None:
            mend = f"start one with otto up, or look at the site once: otto verify {site}"
            raise TransientError(f"no controller is running over {home}", mend=mend)
        return str(answer.get("pipeline", ""))

    @property
    def builds(self) -> Builds:
        """See `House`: carried out by this very process, for as long as the desk is kept."""
        if self._book is None:
            from otto.reconcile.buildbook import BuildBook  # noqa: PLC0415  (with what makes them)

            book = BuildBook(self.foundry, self._invocation.settings.providers)
            self._open.push_async_callback(book.close)
            self._book = book
        return self._book

    def foundry(self) -> "AbstractAsyncContextManager[Foundry]":
        """See `House`."""
        return self._journalled(self._invocation.composition.open_foundry)

    async def fleet_policy(self) -> "FleetPolicy":
        """See `House`."""
        from otto.adapters.policies import FilePolicies  # noqa: PLC0415  (reads YAML and schemas)
        from otto.adapters.specs import parse_fleet_policy  # noqa: PLC0415

        return FilePolicies(self._invocation.settings.fleet_policy, parse_fleet_policy).fleet()

    async def ways(self, *, tried: bool) -> tuple[Way, ...]:
        """See `House`."""
        from otto.cli import notifying  # noqa: PLC0415  (with what sends)

        return await notifying.tell_ways(self._invocation.settings, self._invocation.environ, tried=tried)
