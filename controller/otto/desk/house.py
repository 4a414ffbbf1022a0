"""What a question is answered with: a home on this machine, or a controller that runs."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from otto.desk.heard import Heard
from otto.desk.seen import Around
from otto.desk.sources import StatusSource
from otto.model.errors import UsageError
from otto.model.plan import StepKind
from otto.model.saying import Speaker
from otto.model.spec import Provider

if TYPE_CHECKING:
    from otto.model.policy import FleetPolicy
    from otto.ports import Store
    from otto.reconcile.buildbook import Begun, News, Opening
    from otto.reconcile.foundry import Foundry
    from otto.reconcile.inspect import Inspector
    from otto.reconcile.kit import Kit

T = TypeVar("T")
_NO_STEPS: frozenset[StepKind] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """A way people are told, tried or not.

    Attributes:
        way: its name, without anything secret.
        trouble: why it failed, "" when it did not or was not tried.
    """

    way: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long tokens hold: when nothing is said, and at most."""

    usual: timedelta
    longest: timedelta


async def _nobody(*, tried: bool) -> tuple[Way, ...]:
    raise UsageError("nobody is told: notify.urls is not set", mend=f"set it{' first' if tried else ''}")


def _nowhere() -> "AbstractAsyncContextManager[Foundry]":
    raise UsageError("images are not built here", mend="build them on the controller's machine")


@dataclass(frozen=True, slots=True)
class Household:
    """What the settings say of how a running controller answers.

    Attributes:
        lives: how long tokens hold.
        ways: tells, or tries, the ways people are told.
        log: file of the controller's log, None where it keeps none.
        foundry: opens what makes images.
        providers: those that may be touched.
    """

    lives: Lives = Lives(timedelta(days=90), timedelta(days=366))
    ways: Callable[..., Coroutine[Any, Any, tuple[Way, ...]]] = _nobody
    log: Path | None = None
    foundry: "Opening" = _nowhere
    providers: tuple[Provider, ...] = tuple(Provider)


class Builds(Protocol):
    """Orders of images; see `otto.reconcile.buildbook.BuildBook`."""

    async def start(
        self, names: Sequence[str], providers: Sequence[Provider], who: Speaker, *, anew: bool
    ) -> "Begun":
        """Begin to make images."""

    async def news(self, identity: str, seen: int) -> "News":
        """What was heard of an order."""

    async def cancel(self, identity: str) -> None:
        """Break an order off."""


class House(Protocol):
    """What answers, on behalf of whoever asks."""

    @property
    def labels(self) -> Mapping[str, str]:
        """What who asks is limited to; empty for everything."""

    @property
    def lives(self) -> Lives:
        """How long tokens hold here."""

    @property
    def log(self) -> Path | None:
        """File of the controller's log, None where it keeps none."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def speaker(self, by: str | None) -> Speaker:
        """Who speaks now.

        Args:
            by: the name they give, None for the one they are known by.

        Raises:
            UsageError: the name will not do, or is not theirs to give.
        """

    async def require_seen(self, site: str) -> None:
        """Insist that who asks may see a site; whether there is one is another matter, unless they may not.

        Raises:
            UsageError: they may not: in the words of a site that is not there.
        """

    async def seen(self) -> frozenset[str] | None:
        """The sites and zones that who asks may see; None for everything."""

    def require_all(self, what: str) -> None:
        """Insist that who asks may see and touch every site.

        Args:
            what: what they want to do, for the error: `thaw all sites`.

        Raises:
            ForbiddenError: they are limited to some.
        """

    def quick(self) -> AbstractAsyncContextManager[StatusSource]:
        """The store for a quick look, with what who asks may see.

        Raises:
            UsageError: there is none.
        """

    def store(self) -> "AbstractAsyncContextManager[Store]":
        """The store, with what who asks may see and change.

        Raises:
            UsageError: there is none.
        """

    @property
    def has_store(self) -> bool:
        """Whether there is one."""

    def require_store(self) -> None:
        """Insist that there is one.

        Raises:
            UsageError: OttO has not run here yet.
        """

    async def with_kit(self, work: "Callable[[Kit], Awaitable[T]]", seconds: float) -> T:
        """What some work finds with all ports.

        Args:
            work: the work.
            seconds: that it may take, where others wait for it.

        Raises:
            OttoError: there is no such time, or what the work raises.
        """

    async def inspector(self, kit: "Kit") -> "Inspector":
        """Looks at sites without touching them, ready to; called within `with_kit`."""

    async def around(self) -> Around:
        """Who is at work."""

    async def due(self, sites: Sequence[str], steps: frozenset[StepKind] = _NO_STEPS) -> Heard:
        """Have a controller look at sites now, and carry steps out. What was recorded counts in any case."""

    async def images_changed(self) -> Heard:
        """Have a controller look at the index of images now, and at the sites concerned."""

    async def start_pipeline(self, site: str, by: str) -> str:
        """Have a controller start a pipeline; its id.

        Raises:
            TransientError: none is running.
            UsageError: there is no such site.
        """

    @property
    def builds(self) -> Builds:
        """Orders of images."""

    def foundry(self) -> "AbstractAsyncContextManager[Foundry]":
        """What makes images, and removes them."""

    async def fleet_policy(self) -> "FleetPolicy":
        """The policy of the fleet that is in force."""

    async def ways(self, *, tried: bool) -> tuple[Way, ...]:
        """The ways people are told; each is tried with a test notice when asked for."""
