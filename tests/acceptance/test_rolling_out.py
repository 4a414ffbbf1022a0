"""Changes reach a site while visitors ask it two hundred times a second, and none of them notices.

Told in order over one home. Each story begins with the site Ready, under the eyes of visitors who come on
connections of their own and on kept ones; what is counted is every request from before the push until the
site has settled.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from otto.model.rollout import RolloutState
from otto.model.run import Outcome
from otto.model.status import Phase, SiteStatus

from . import damage
from .client import Visitors
from .guarded import Guarded, another_image, spec
from .harness import Json, eventually, fetch, steps_of

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rolling-out"), pytest.mark.timeout(600)]

SITE, WEB, WEBS = "shop", "shop-web-1", {"shop-web-1", "shop-web-2", "shop-web-3"}
WORDS = "A small site."
RATE = 200
SECONDS = 240.0

Record = Callable[[str, object], None]


def page(title: str, words: str = WORDS) -> str:
    return f"<!doctype html><title>{title}</title><p>{words}</p>\n"


def changed(image: str = "base") -> str:
    """The spec with another name, and larger servers."""
    text = spec(SITE, web=3, image=image).replace(f"[{SITE}.test]", f"[{SITE}.test, second.test]")
    return text.replace("    image:", "    size: medium\n    image:", 1)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Another image of the lab, there until nothing runs on it any more."""
    with another_image() as name:
        yield name


@pytest.fixture(scope="module")
def home(image: str) -> Iterator[Guarded]:
    home = Guarded.make(OTTO_LOOP_INTERVAL="600", OTTO_SOURCE_INTERVAL="600", OTTO_LOOP_VERIFYDEADLINE="10")
    try:
        home.let_go(SITE, home.begin(**{SITE: spec(SITE, web=3)}))
        home.take_in(image)  # made before the home, so that it is removed after it
        yield home
    finally:
        home.close()


@contextmanager
def visited(home: Guarded, story: str, record: Record) -> Iterator[Visitors]:
    """Visitors while the block runs, and for a moment after it; not one of them may get anything else."""
    url = home.ready(SITE)["endpoints"][0]["url"]
    began = time.monotonic()
    with Visitors(url, f"{SITE}.test", WORDS, RATE) as visitors:
        eventually("answers to visitors", lambda: len(visitors.visits) > RATE, 30)
        yield visitors
        settled = time.time()
        eventually("answers by every server", lambda: visitors.servers(settled) == WEBS, 30)
    failed = visitors.failed()
    row = {
        "story": story,
        "seconds": f"{time.monotonic() - began:.1f}",
        "requests": str(len(visitors.visits)),
        "failed": str(len(failed)),
        "pages": ", ".join(f"{count} {title!r}" for title, count in visitors.titles().items()),
    }
    record("rollout", json.dumps(row))
    assert not failed, "\n".join(f"{visit.server}: {visit.wrong}" for visit in failed[:10])
    assert visitors.late < 1.0, f"the visitors were {visitors.late:.1f} s late themselves"


def rolled(home: Guarded, commit: str) -> list[Json]:
    """Wait until a commit is in place everywhere; the runs that brought it there, oldest first."""
    home.let_go(SITE, commit, SECONDS)
    return [run for run in reversed(home.runs(SITE)) if run["outcome"] == Outcome.SUCCEEDED.value]


def batches(run: Json) -> list[list[str]]:
    """The servers that were watched together, in order."""
    return [step["hosts"] for step in run["steps"] if step["kind"] == "soak"]


def test_a_content_push_is_rolled_out_and_nobody_notices(home: Guarded, record_property: Record) -> None:
    with visited(home, "content push", record_property) as visitors:
        home.write("sites/small/index.html", page("Second"))
        commit, _ = home.push("Second edition")
        runs = rolled(home, commit)
        settled = time.time()
    assert set(visitors.titles()) == {"Small", "Second"}
    assert set(visitors.titles(settled)) == {"Second"}
    assert [len(batch) for batch in batches(runs[-1])] == [1, 1, 1]
    steps = steps_of(runs[-1])
    assert [name for name in steps if name in ("set-aside", "deploy", "try", "return", "soak")] == [
        "set-aside",
        "deploy",
        "try",
        "return",
        "soak",
    ] * 3


def test_a_configuration_change_is_rolled_out_and_nobody_notices(
    home: Guarded, record_property: Record
) -> None:
    before = home.containers()
    with visited(home, "configuration change", record_property) as visitors:
        home.write(f"specs/{SITE}.yaml", changed())
        commit, _ = home.push("Another name, and larger servers")
        runs = rolled(home, commit)
    assert {name for batch in batches(runs[-1]) for name in batch} >= WEBS
    assert fetch(visitors.url, "second.test")[0] == 200
    # Larger, and the very same: each in its turn, since the lab gives sizes in place.
    given = [step["hosts"] for step in runs[-1]["steps"] if step["kind"] == "provision" and step["hosts"]]
    assert sorted(given) == [[name] for name in sorted(WEBS)]
    sizes = {host["name"]: host["size"] for host in home.ready(SITE)["hosts"]}
    assert {name: sizes[name] for name in WEBS} == dict.fromkeys(WEBS, "medium")
    after = home.containers()
    assert {name: after[name]["id"] for name in WEBS} == {name: before[name]["id"] for name in WEBS}


def test_a_bad_release_is_taken_back_and_nobody_notices(home: Guarded, record_property: Record) -> None:
    with visited(home, "reverted bad release", record_property) as visitors:
        home.write("sites/small/index.html", page("Third", "Oops."))
        bad, _ = home.push("A bad release")

        def taken_back(status: SiteStatus) -> bool:
            rollout = status.rollout
            return rollout is not None and rollout.state is RolloutState.REVERTED and status.ready

        site = home.wait_for("taken back", SITE, taken_back, SECONDS)
        settled = time.time()
    assert set(visitors.titles()) == {"Second"}
    assert visitors.titles(settled)
    assert site["rollout"]["state"] == RolloutState.REVERTED.value
    (quarantine,) = home.json("rollout", "status", SITE)["quarantined"]
    assert quarantine["commit"] == bad
    assert len(quarantine["hosts"]) == 1
    failure = quarantine["failures"][0]
    assert WORDS.lower().rstrip(".").removeprefix("a ") in failure["expected"]
    assert "Oops" in failure["received"]
    # Not tried again, healed towards what was verified last, and let go by a commit that mends it.
    before = home.containers()
    damage.kill(WEB)(home)
    eventually("healed", lambda: home.containers().get(WEB, before[WEB]) != before[WEB], 60)
    home.wait_for("healed", SITE, taken_back, 60)
    assert fetch(visitors.url, f"{SITE}.test")[2] == page("Second")
    home.write("sites/small/index.html", page("Fourth"))
    mended, _ = home.push("Mended")
    home.let_go(SITE, mended, SECONDS)
    assert fetch(visitors.url, f"{SITE}.test")[2] == page("Fourth")


def test_an_image_replaces_every_server_and_nobody_notices(
    home: Guarded, image: str, record_property: Record
) -> None:
    before = home.containers()
    with visited(home, "image of all servers", record_property):
        home.write(f"specs/{SITE}.yaml", changed(image))
        commit, _ = home.push("Another image")
        # Living servers go: that is for a person to say, whatever they go for.
        plan = home.phase(SITE, Phase.AWAITING_APPROVAL)["plan"]
        home.otto("approve", SITE, plan[:12], "--by", "ada")
        home.let_go(SITE, commit, SECONDS)
    after = home.containers()
    assert {name for name in after if after[name]["id"] != before[name]["id"]} == WEBS
