"""Whatever is pushed, said, broken or killed: no server is left out, and never too many are at once.

More stories than the usual ones: `OTTO_STORIES=2000 pytest tests/unit/reconcile/test_rolling_property.py`.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.model.errors import TransientError, UsageError
from otto.model.history import GrantKind
from otto.model.policy import DriftPolicy, FleetLimits, FleetPolicy
from otto.model.rollout import RolloutState
from otto.model.saying import Speaker
from otto.model.spec import HostGroup, Role, SiteSpec
from otto.model.status import Phase
from otto.model.strategy import Rollout
from otto.reconcile.saying import say
from otto.testing import SimHost

from .rollouts import BAD, FREE, STILL, WORKS, rolling, word
from .story import PATIENCE, Story, Wait
from .turnstile import Turnstile

STORIES = int(os.environ.get("OTTO_STORIES", "0"))
SITE = "one"
LAST = "<h1>It works at last</h1>"
PAGES = {"good": WORKS, "better": STILL, "bad": BAD}
NAMES = {"one": ("www.one.example",), "two": ("www.one.example", "more.one.example")}


@dataclass
class RollingStory(Story):
    """One site of three servers that is changed in steps, and who counts those out of service."""

    turnstile: Turnstile = field(init=False)
    poll: float = 3.0

    def __post_init__(self) -> None:
        self.world.images.ids["newer"] = "img-newer"
        self.world.policies.policy = FleetPolicy(limits=FleetLimits(count=999.0))
        self.turnstile = Turnstile(self.world, SITE, self.laws.broken)
        self.turnstile.settle_in()

    def change(self, spec: SiteSpec, page: str) -> None:
        """Push a spec and its page."""
        self.world.push(spec, files={f"{spec.content.path}/index.html": page})
        self.specs[SITE] = spec

    async def rest(self) -> None:
        """Nothing happens any more, and nobody pauses anything: it comes to rest by itself."""
        for host in self.world.hosts:
            if host.cut:
                self.turnstile.harmed[host.name] = self.world.clock.monotonic()
            host.cut = False
        for failures in (self.world.infrastructure.failures, self.world.configuration.failures):
            for call in CALLS:
                failures.stop(call)
        for grant in await self.world.ledger.grants(kind=GrantKind.PAUSE):
            await self.world.ledger.revoke(grant)
        if self.process is None:
            self.start()
        waited = 0.0
        while found := await self.unrest():
            assert waited < PATIENCE, f"not at rest after {PATIENCE:g} s: {found}"
            await self.pass_by(5.0)
            waited += 5.0

    async def unrest(self) -> list[str]:
        """What is not as a site is that is left in peace, whichever wish it has."""
        status = await self.world.store.status(SITE)
        rollout = await self.world.store.rollout(SITE)
        found = [] if status and status.ready and status.phase is Phase.READY else [f"{status}"]
        if rollout.state not in (RolloutState.DONE, RolloutState.REVERTED):
            found.append(f"rollout {rollout.state}")
        found += [f"open: {run.id}" for run in await self.world.store.open_runs()]
        for host in self.world.hosts:
            found += [f"{host.name} has {sorted(host.disabled)} aside"] if host.disabled else []
        servers = [host for host in self.world.hosts if host.role is Role.WEB]
        have = {(host.revision, host.image, host.size, host.domains) for host in servers}
        return [*found, *([f"servers differ: {have}"] if len(servers) != 3 or len(have) != 1 else [])]

    async def said(self, what: str) -> None:
        """Somebody says something to the rollout, if it can be said."""
        who = Speaker("ada", self.world.clock.now(), "ada")
        with suppress(UsageError):
            await say(self.world.ledger, await word(what, self.world, SITE, who))
            self.world.queue.add(SITE, "asked")


@dataclass(frozen=True)
class Push:
    """A new wish."""

    page: str
    names: str = "one"
    image: str = "base"
    size: str = "small"

    async def happen(self, story: RollingStory) -> None:
        story.change(spec_of(self), PAGES[self.page])


@dataclass(frozen=True)
class Said:
    """Somebody says something to the rollout."""

    what: str

    async def happen(self, story: RollingStory) -> None:
        await story.said(self.what)


@dataclass(frozen=True)
class Harm:
    """Something happens to a host behind the controller's back; which one, counts round."""

    what: str
    host: int

    async def happen(self, story: RollingStory) -> None:
        hosts = list(story.world.hosts)
        if hosts:
            host = hosts[self.host % len(hosts)]
            story.turnstile.harmed[host.name] = story.world.clock.monotonic()
            HARMS[self.what](story, host)


@dataclass(frozen=True)
class Trouble:
    """A call of the outside fails so many times."""

    call: str
    times: int

    async def happen(self, story: RollingStory) -> None:
        world = story.world
        of = world.infrastructure if self.call in OF_TERRAFORM else world.configuration
        of.failures.next(self.call, TransientError(f"{self.call} fails"), times=self.times)


@dataclass(frozen=True)
class Kill:
    """Kill -9 at the so-manieth point from now, or after so many seconds; start again after some more."""

    points: int
    down: float
    seconds: float = 12.0


HARMS: dict[str, Callable[[RollingStory, SimHost], None]] = {
    "kill": lambda story, host: story.world.hosts.kill(host.name),
    "remove": lambda story, host: story.world.hosts.remove(host.name),
    "cut": lambda story, host: story.world.hosts.cut(host.name),
}
OF_TERRAFORM = ("plan", "apply", "apply:one-web-2")
OF_PLAYS = ("configure", "deploy", "configure:one-web-1", "deploy:one-web-2")
CALLS = (*OF_TERRAFORM, *OF_PLAYS, "set_aside", "bring_back")

Event = Push | Said | Harm | Trouble | Wait | Kill

maybe = st.sampled_from
pushes = st.builds(
    Push,
    maybe(["good", "better", "better", "bad"]),
    maybe(sorted(NAMES)),
    maybe(["base", "base", "newer"]),
    maybe(["small", "small", "medium"]),
)
sayings = st.builds(Said, maybe(["pause", "resume", "abort", "undo"]))
harms = st.builds(Harm, maybe(sorted(HARMS)), st.integers(0, 3))
troubles = st.builds(Trouble, maybe(CALLS), st.integers(1, 2))
waits = st.builds(Wait, maybe([0.5, 2.0, 5.0, 15.0, 40.0]))
kills = st.builds(Kill, st.integers(0, 150), maybe([0.0, 1.0, 20.0]))
stories = st.lists(
    st.one_of(pushes, pushes, waits, waits, sayings, sayings, harms, troubles, kills), min_size=2, max_size=12
)


def spec_of(push: Push) -> SiteSpec:
    web, policy = HostGroup(3, push.size, push.image), replace(FREE, drift=DriftPolicy(heals=0))
    return replace(rolling(policy=policy, rollout=Rollout(soak=1.0)), web=web, domains=NAMES[push.names])


async def tell(story: RollingStory, events: list[Event]) -> None:
    """Have it all happen; then it comes to rest by itself, and a good push reaches every server."""
    story.change(spec_of(Push("good")), WORKS)
    story.start()
    await story.pass_by(40.0)
    for event in events:
        match event:
            case Wait(seconds):
                await story.pass_by(seconds)
            case Kill(points, down, seconds):
                await story.until_dead(points, seconds)
                await story.pass_by(down)
                story.start()
            case _:
                await event.happen(story)
                await story.pass_by(1.0)
    await story.rest()
    assert story.laws.broken == []
    story.change(spec_of(Push("good")), LAST)
    await story.calm()
    await story.closed_runs()
    assert story.laws.broken == []
    await story.a_restart_does_nothing()


def run(*events: Event) -> RollingStory:
    told: list[RollingStory] = []

    async def tell_it(story: RollingStory) -> None:
        told.append(story)
        await tell(story, [*events])

    RollingStory.quietly(tell_it)
    return told[0]


@given(stories)
@settings(
    max_examples=STORIES or 40,
    derandomize=not STORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_nobody_is_left_out_and_never_too_many_are(events: list[Event]) -> None:
    run(*events)


@pytest.mark.parametrize("points", range(0, 200, 25))
@pytest.mark.parametrize(
    "push",
    [
        Push("better"),
        Push("bad"),
        Push("good", "two"),
        Push("better", "one", "newer"),
        Push("bad", "one", "base", "medium"),
    ],
    ids=["content", "bad", "configuration", "image", "size"],
)
def test_killed_at_any_point_of_a_rollout_nothing_is_lost(push: Push, points: int) -> None:
    story = run(push, Kill(points, down=1.0, seconds=30.0), Wait(40.0))
    assert story.turnstile.changed
