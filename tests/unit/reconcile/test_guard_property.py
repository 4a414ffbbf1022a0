"""Whatever people push and say, whatever breaks and whoever is killed: nothing goes that nobody allowed.

More stories than the usual ones: `OTTO_STORIES=2000 pytest tests/unit/reconcile/test_guard_property.py`.
"""

import os
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.model.history import GrantKind
from otto.model.policy import DriftPolicy, Handling, Overrun, Policy, Window, Windows
from otto.model.spec import Provider
from otto.testing import SimHost

from .guarded import PEOPLE, SITES, GuardedStory, first_spec, tomb
from .rollouts import BAD, STILL, WORKS
from .stage import NIGHT, WIDE, rules, web
from .story import Wait, edit

STORIES = int(os.environ.get("OTTO_STORIES", "0"))

SHORT = (Window(allow=True, cron="*/2 * * * *", lasts=45.0),)
POLICIES = {
    "default": Policy(),
    "auto": Policy(approval="auto", limits=WIDE),
    "auto, narrow": Policy(approval="auto"),
    "always": Policy(approval="always"),
    "protected": Policy(protect=True),
    "protected auto": Policy(approval="auto", protect=True, limits=WIDE),
    "two": Policy(approvers=2),
    "two, auto, protected": Policy(approval="auto", protect=True, approvers=2, limits=WIDE),
    "brief": Policy(approval_expiry=30.0),
    "short life": Policy(ttl=90.0),
    "short auto life": Policy(approval="auto", ttl=60.0, limits=WIDE),
    "short protected life": Policy(protect=True, ttl=60.0),
    "night": Policy(approval="auto", limits=WIDE, windows=NIGHT),
    "short windows": Policy(approval="auto", limits=WIDE, windows=Windows(SHORT, Overrun.HOLD, repairs=True)),
    "protected night": Policy(approval="auto", protect=True, limits=WIDE, windows=NIGHT),
    "told": Policy(drift=DriftPolicy({"configuration": Handling.REPORT, "infrastructure": Handling.ASK})),
    "flapping": Policy(drift=DriftPolicy(confirmations=2, heals=1)),
}


@dataclass(frozen=True)
class Push:
    """A spec changes, or its policy, or both in one commit."""

    site: str
    policy: str | None
    count: int | None
    image: str | None
    size: str | None

    async def happen(self, story: GuardedStory) -> None:
        spec = story.spec(self.site)
        servers = web(
            spec.web.count if self.count is None else self.count,
            size=self.size or spec.web.size,
            image=self.image or spec.web.image,
        )
        policy = POLICIES[self.policy] if self.policy else spec.policy
        story.change({self.site: replace(spec, web=servers, policy=policy)})


@dataclass(frozen=True)
class Vanish:
    """Specs vanish, in one commit."""

    sites: tuple[str, ...]

    async def happen(self, story: GuardedStory) -> None:
        if found := {site: None for site in self.sites if site in story.specs}:
            story.change(dict(found))


@dataclass(frozen=True)
class Return:
    """Every spec is back, as it was at the beginning."""

    async def happen(self, story: GuardedStory) -> None:
        story.change({site: first_spec(site) for site in SITES if site not in story.specs})


@dataclass(frozen=True)
class Bury:
    """A tombstone is committed, in place of the spec or beside it; or taken away."""

    site: str
    seconds: float | None
    beside: bool = False

    async def happen(self, story: GuardedStory) -> None:
        if self.site in story.stones:
            story.change({}, {self.site: None})
            return
        at = None if self.seconds is None else story.world.clock.now() + timedelta(seconds=self.seconds)
        story.change({} if self.beside else {self.site: None}, {self.site: tomb(self.site, at)})


@dataclass(frozen=True)
class Move:
    """A spec names another provider."""

    site: str

    async def happen(self, story: GuardedStory) -> None:
        spec = story.spec(self.site)
        other = Provider.LAB if spec.provider is Provider.AWS else Provider.AWS
        story.change({self.site: replace(spec, provider=other)})


@dataclass(frozen=True)
class Harm:
    """Something happens to a host behind the controller's back; which one, counts round."""

    what: str
    host: int

    async def happen(self, story: GuardedStory) -> None:
        hosts = list(story.world.hosts)
        if hosts:
            host = hosts[self.host % len(hosts)]
            if self.what not in ("edit", "relabel"):
                story.harm(host.id)
            HARMS[self.what](story, host)


@dataclass(frozen=True)
class Say:
    """Somebody says something of a site, or of its plan that waits."""

    what: str
    site: str
    by: str

    async def happen(self, story: GuardedStory) -> None:
        await SAYINGS[self.what](story, self.site, self.by)


@dataclass(frozen=True)
class Write:
    """Another page of the site that goes in steps."""

    page: str

    async def happen(self, story: GuardedStory) -> None:
        story.write(SITES[0], self.page)


@dataclass(frozen=True)
class Steer:
    """Somebody says something to the rollout of that site."""

    what: str
    by: str

    async def happen(self, story: GuardedStory) -> None:
        await story.steer(self.what, SITES[0], self.by)


@dataclass(frozen=True)
class Kill:
    """Kill -9 at the so-manieth point from now, or after so many seconds; start again after some more."""

    points: int
    down: float


def cut(story: GuardedStory, host: SimHost) -> None:
    host.cut = not host.cut


def relabel(story: GuardedStory, host: SimHost) -> None:
    """It lives and serves, and is not what its spec says: only a new one would be."""
    host.image = "another"


HARMS: dict[str, Callable[[GuardedStory, SimHost], None]] = {
    "remove": lambda story, host: story.world.hosts.remove(host.name),
    "pause": lambda story, host: story.world.hosts.pause(host.name),
    "kill": lambda story, host: story.world.hosts.kill(host.name),
    "edit": edit,
    "relabel": relabel,
    "cut": cut,
}


async def approve(story: GuardedStory, site: str, by: str) -> None:
    if plan := story.waiting(site):
        await story.approve(site, plan, by)


async def approve_briefly(story: GuardedStory, site: str, by: str) -> None:
    if plan := story.waiting(site):
        await story.approve(site, plan, by, 4.0)


async def approve_stale(story: GuardedStory, site: str, by: str) -> None:
    stale = [plan for plan in story.waited.get(site, []) if plan != story.waiting(site)]
    if stale:
        await story.approve(site, stale[-1], by)


async def reject(story: GuardedStory, site: str, by: str) -> None:
    if plan := story.waiting(site):
        await story.reject(site, plan)


async def freeze(story: GuardedStory, site: str, by: str) -> None:
    await story.say(GrantKind.FREEZE, site if by == PEOPLE[0] else "", by, reason="no")


async def thaw(story: GuardedStory, site: str, by: str) -> None:
    await story.take_back(GrantKind.FREEZE)


async def override(story: GuardedStory, site: str, by: str) -> None:
    await story.say(GrantKind.OVERRIDE, site, by, until=story.world.clock.now() + timedelta(minutes=5))


async def extend(story: GuardedStory, site: str, by: str) -> None:
    await story.say(GrantKind.EXTEND, site, by, until=story.world.clock.now() + timedelta(minutes=3))


async def destroy(story: GuardedStory, site: str, by: str) -> None:
    await story.destroy(site)


async def resume(story: GuardedStory, site: str, by: str) -> None:
    await story.resume(site)


SAYINGS: dict[str, Callable[[GuardedStory, str, str], Coroutine[Any, Any, None]]] = {
    f.__name__: f
    for f in (
        approve, approve_briefly, approve_stale, reject, freeze, thaw, override, extend, destroy, resume,
    )
}  # fmt: skip

Event = Push | Vanish | Return | Bury | Move | Harm | Say | Write | Steer | Wait | Kill

sites = st.sampled_from(SITES)
maybe = st.sampled_from
pushes = st.builds(
    Push,
    sites,
    maybe([None, *POLICIES]),
    maybe([None, None, 0, 1, 2, 3]),
    maybe([None, None, "base", "nginx"]),
    maybe([None, None, None, "small", "medium"]),
)
vanishings = st.builds(Vanish, maybe([SITES, SITES[:1], SITES[1:]]))
burials = st.builds(Bury, sites, maybe([None, None, 20.0]), st.booleans())
harms = st.builds(Harm, maybe(sorted(HARMS)), st.integers(0, 8))
usual = st.builds(Say, maybe(["approve"]), sites, maybe(PEOPLE))
sayings = st.builds(Say, maybe(sorted(SAYINGS)), sites, maybe(PEOPLE))
rollouts = st.one_of(
    st.builds(Write, maybe([WORKS, STILL, BAD])),
    st.builds(Steer, maybe(["pause", "resume", "abort", "undo"]), maybe(PEOPLE)),
)
waits = st.builds(Wait, maybe([1.0, 5.0, 5.0, 15.0, 40.0, 100.0]))
kills = st.builds(Kill, st.integers(0, 80), maybe([0.0, 1.0, 30.0]))
others = st.one_of(st.builds(Return), st.builds(Move, sites), vanishings, burials)
stories = st.lists(
    st.one_of(pushes, pushes, pushes, waits, waits, usual, sayings, harms, kills, rollouts, others),
    min_size=2,
    max_size=16,
)


@dataclass(frozen=True)
class Corner:
    """A story, and what stands at its end.

    Attributes:
        rules: those that hold what the first site waits for; none where nothing is asked of the guard.
        taken: how often somebody's yes had living hosts taken away, a batch of a rollout at a time.
    """

    events: list[Event]
    rules: frozenset[str]
    taken: int

    async def check(self, story: GuardedStory) -> None:
        """So it stands, before people settle it."""
        status = await story.world.store.status("one")
        assert status is not None
        held = rules(status.held)
        assert self.rules <= held, held
        assert bool(self.rules) == bool(held), held
        assert len(story.witness.taken) == self.taken, story.witness.taken


async def tell(story: GuardedStory, events: list[Event], corner: Corner | None = None) -> None:
    """Have it all happen, with some seconds after each; then people settle it."""
    story.change({site: first_spec(site) for site in SITES})
    story.start()
    await story.pass_by(8.0)
    for event in events:
        for site in SITES:
            story.waiting(site)
        match event:
            case Wait(seconds):
                await story.pass_by(seconds)
            case Kill(points, down):
                await story.until_dead(points, 8.0)
                await story.pass_by(down)
                story.start()
            case _:
                await event.happen(story)
                await story.pass_by(6.0)
    if corner is not None:
        await corner.check(story)
    await story.settle_all()
    await story.stop()
    await story.check_records()
    assert not story.laws.broken


def push(
    policy: str | None = None,
    *,
    count: int | None = None,
    image: str | None = None,
    size: str | None = None,
) -> Push:
    return Push("one", policy, count, image, size)


def said(what: str, by: str = "ada") -> Say:
    return Say(what, "one", by)


def corner(*events: Event, rules: Iterable[str] = (), taken: int = 0) -> Corner:
    return Corner([*events], frozenset(rules), taken)


# Of the first site's hosts, by name.
WEB_1, WEB_2 = 1, 2
SOON = Wait(40.0)
# Stories in which one rule alone stands between a living host and its end.
CORNERS: dict[str, Corner] = {
    "a living host that is another than wanted": corner(
        Harm("relabel", WEB_1), push(count=3), SOON,
        rules={"guard.replace"},
    ),
    "an approval of another plan": corner(
        push(image="nginx"), push(size="medium"), said("approve_stale"), SOON,
        rules={"guard.replace"},
    ),
    "an approval that is too old by the policy": corner(
        push("brief", image="nginx"), said("freeze"), said("approve"), SOON, said("thaw"), SOON,
        rules={"guard.replace"},
    ),
    "an approval that has ended": corner(
        push(image="nginx"), said("freeze"), said("approve_briefly"), SOON, said("thaw"), SOON,
        rules={"guard.replace"},
    ),
    "one person twice": corner(
        push("two", image="nginx"), said("approve"), SOON, said("approve"), SOON,
        rules={"guard.replace"},
    ),
    "an approval that was used": corner(
        push(image="nginx"), said("approve"), SOON,
        push(image="base"), said("approve"), SOON,
        push(image="nginx"), SOON,
        rules={"guard.replace"}, taken=4,
    ),
    "a rejected plan": corner(
        push("auto", image="base"), said("freeze"), push(image="nginx"), said("approve"),
        said("reject"), said("thaw"), SOON,
        rules={"guard.rejected"},
    ),
    "a tombstone before its time": corner(Bury("one", 300.0), SOON),
    "a life that is not over": corner(push("short life"), Wait(15.0)),
    "a life that is longer": corner(push("short life"), said("extend"), Wait(100.0)),
    "protection": corner(push("protected auto"), push(image="nginx"), SOON, rules={"guard.protect"}),
    "protection that goes with what it protects": corner(
        push("protected auto"), push("auto", image="nginx"), SOON,
        rules={"guard.protect.recent"},
    ),
    "protection that waits with the rest of its spec": corner(
        push("auto"), push("protected night", count=3),
        Harm("relabel", WEB_1), Harm("pause", WEB_2), SOON, SOON,
        rules={"guard.protect", "guard.window.site"},
    ),
    "a protected site that a person wants destroyed": corner(
        push("protected"), said("destroy"), SOON,
        rules={"guard.protect"},
    ),
    "a freeze of one site": corner(
        push("auto"), said("freeze"), push(image="nginx"), SOON,
        rules={"guard.freeze"},
    ),
    "a freeze of all sites": corner(
        push("auto"), said("freeze", "grace"), push(count=1), SOON,
        rules={"guard.freeze"},
    ),
    "specs that vanish together": corner(
        push("auto"), Vanish(SITES), SOON, push("auto", count=1), SOON,
        rules={"guard.freeze"},
    ),
    "a spec that vanishes alone": corner(push("auto"), Vanish(("one",)), SOON),
    "another provider": corner(push("auto"), Move("one"), SOON, rules={"guard.place.provider"}),
    "a plan that waits": corner(push(image="nginx"), SOON, said("approve", "grace"), SOON, taken=2),
}  # fmt: skip


@pytest.mark.parametrize("corner", CORNERS)
def test_nothing_living_goes_at(corner: str) -> None:
    story = CORNERS[corner]
    GuardedStory.quietly(lambda world: tell(world, story.events, story))


@given(stories)
@settings(
    max_examples=STORIES or 80,
    derandomize=not STORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_nothing_living_goes_that_nobody_allowed(events: list[Event]) -> None:
    GuardedStory.quietly(lambda story: tell(story, events))
