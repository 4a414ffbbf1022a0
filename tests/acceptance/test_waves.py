"""An image that several sites follow reaches them in the fleet's order: the canary, then wave after wave.

Told in order over one home of three sites.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from otto.model.image import CANDIDATE
from otto.model.rollout import RolloutState
from otto.model.status import SiteStatus

from .guarded import Guarded, another_image, spec
from .harness import Json

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("waves"), pytest.mark.timeout(600)]

GOLDEN = "page"
CANARY, SECOND, LAST = "zed", "able", "best"
SITES = (CANARY, SECOND, LAST)
POLICY: Json = {
    "approval": "auto",
    "limits": {"count": 10, "share": 1, "windowCount": 100, "reason": "a test"},
}
# What does not let the web server start, whatever is configured.
BROKEN = "ln -sf /bin/false /usr/sbin/nginx"


@pytest.fixture(scope="module")
def images() -> Iterator[tuple[str, str, str]]:
    """Three editions of an image: as it was, a newer one, and one that cannot serve."""
    with ExitStack() as stack:
        first, newer = (stack.enter_context(another_image()) for _ in range(2))
        yield first, newer, stack.enter_context(another_image(BROKEN))


@pytest.fixture(scope="module")
def home(images: tuple[str, str, str]) -> Iterator[Guarded]:
    home = Guarded.make(OTTO_LOOP_INTERVAL="600", OTTO_SOURCE_INTERVAL="600", OTTO_LOOP_VERIFYDEADLINE="10")
    order = {"canaries": {"env": "test"}, "wave": 1}
    document = {"apiVersion": "otto/v1", "kind": "FleetPolicy", "spec": {"rollout": order}}
    home.home.mkdir(exist_ok=True)
    (home.home / "policy.yaml").write_text(json.dumps(document))
    home.take_in(images[0], GOLDEN)
    try:
        commit = home.begin(**{name: member(name) for name in SITES})
        for name in SITES:
            home.let_go(name, commit)
        yield home
    finally:
        home.close()


def member(name: str) -> str:
    """The spec of a site that follows the image; that of the canary carries the label."""
    text = spec(name, POLICY, web=2, image=GOLDEN)
    return (
        text.replace(f"name: {name}\n", f"name: {name}\n  labels: {{env: test}}\n")
        if name == CANARY
        else text
    )


def promote(home: Guarded, image: str) -> None:
    """A new edition comes up, and the channel that the sites follow is moved to it."""
    home.take_in(image, GOLDEN, CANDIDATE)
    home.otto("images", "promote", GOLDEN, "--by", "ada", "--reason", "a newer one")


def made(home: Guarded, site: str) -> dict[str, str]:
    """Host -> identity, of a site's web servers."""
    return {name: host["id"] for name, host in home.containers().items() if name.startswith(f"{site}-web")}


def test_the_canary_has_it_first_and_the_others_follow_one_after_the_other(
    home: Guarded, images: tuple[str, str, str]
) -> None:
    before = {name: made(home, name) for name in SITES}
    promote(home, images[1])
    ended: dict[str, str] = {}
    for name in SITES:
        waiting = SITES[SITES.index(name) + 1 :]
        for later in waiting[:1]:
            home.held(later, "guard.rollout.wave")
        home.wait_for("replaced", name, lambda status, name=name: _anew(home, name, before, status), 120)  # type: ignore[misc]
        ended[name] = home.runs(name)[0]["ended_at"]
    assert sorted(SITES, key=lambda name: ended[name]) == list(SITES)
    for name in SITES:
        home.serves(name)


def test_an_edition_that_fails_at_the_canary_reaches_nobody_else(
    home: Guarded, images: tuple[str, str, str]
) -> None:
    before = {name: made(home, name) for name in SITES}
    promote(home, images[2])
    home.wait_for("taken back", CANARY, _taken_back, 180)
    home.wait_for("told where it failed", SECOND, _stopped, 60)
    for name in (SECOND, LAST):
        home.held(name, "guard.rollout.wave")
        assert made(home, name) == before[name]
        home.serves(name)
    home.serves(CANARY)


def _anew(home: Guarded, name: str, before: dict[str, dict[str, str]], status: SiteStatus) -> bool:
    now = made(home, name)
    return status.ready and not status.held and not (set(now.values()) & set(before[name].values()))


def _stopped(status: SiteStatus) -> bool:
    words = f"failed at {CANARY}"
    return any(reason.rule == "guard.rollout.wave" and words in reason.message for reason in status.held)


def _taken_back(status: SiteStatus) -> bool:
    rollout = status.rollout
    return rollout is not None and rollout.state is RolloutState.REVERTED and status.ready
