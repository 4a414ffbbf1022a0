"""One file of a site's content, changed and pushed, until every web server serves it."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from tests.bench import files, plain
from tests.bench.figure import Figure, median
from tests.bench.progress import say
from tests.bench.stage import Stage, stage, steps

from otto.model.spec import Role

ROUNDS = 3
PUSHES = 2
GOAL = 1.25
_NAME, _PLAIN = "page", "plain"
_LOOK = 0.02
_LONGEST = 120.0

Address = tuple[str, int]


class Watch:
    """Asks web servers, again and again, until each of them serves a page with a certain text."""

    def __init__(self, hosts: Sequence[Address], domain: str, text: str) -> None:
        self._left = list(hosts)
        self._domain, self._text = domain, text
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._served_at = 0.0
        self._thread.start()

    def served_at(self) -> float:
        """When the last one did, as `time.perf_counter` tells it."""
        self._thread.join(_LONGEST)
        if self._left:
            raise plain.ScriptError(f"{self._left} never served {self._text!r}")
        return self._served_at

    def _work(self) -> None:
        end = time.perf_counter() + _LONGEST
        while self._left and time.perf_counter() < end:
            answer = plain.get(*self._left[0], "/", self._domain)
            if answer[0] == 200 and self._text in answer[2]:
                self._served_at = time.perf_counter()
                del self._left[0]
            else:
                time.sleep(_LOOK)


class Taken:
    """Seconds of pushes: until every host served the new page, and until whoever brought it knew so."""

    def __init__(self) -> None:
        self.served: list[float] = []
        self.known: list[float] = []

    def measure(self, watch: Watch, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        self.known.append(time.perf_counter() - began)
        self.served.append(watch.served_at() - began)


def measure() -> list[Figure]:
    """Push changes in turn through OttO and by the script, each to a site of its own."""
    otto, script = Taken(), Taken()
    with stage() as at:
        site = _set_up(at)
        for number in range(ROUNDS):
            _by_otto(at, number, otto)
            site = _by_script(at, number, site, script)
        at.script.destroy(site.folder)
    return [
        Figure(
            "one changed file to served by every host",
            median(otto.served),
            "s",
            baseline="plain script, all of it",
            base=median(script.known),
            ratio_goal=GOAL,
        ),
        Figure(
            "the same, by a watch over both",
            median(otto.served),
            "s",
            baseline="plain script, to served",
            base=median(script.served),
        ),
        Figure(
            "the same push to Ready",
            median(otto.known),
            "s",
            baseline="plain script, all of it",
            base=median(script.known),
        ),
    ]


def _set_up(at: Stage) -> plain.Site:
    say("content: bringing two sites up")
    at.home.start()
    at.push_until_ready([_NAME], at.commit([_NAME], "a site is wanted"))
    at.home.stop()
    site = at.plain_site(_PLAIN)
    at.script.up(site, at.content, "page")
    return site


def _by_otto(at: Stage, number: int, taken: Taken) -> None:
    at.start_and_settle([_NAME])
    for push in range(PUSHES):
        note = f"otto's change {number}.{push}"
        commit = at.commit([_NAME], note)
        status = at.home.peek(_NAME)
        assert status is not None
        web = [(host.address, host.http_port) for host in status.hosts if host.role is Role.WEB]
        watch = Watch(web, f"{_NAME}.test", note)
        taken.measure(watch, partial(at.push_until_ready, [_NAME], commit))
        run = steps(at.last_run(_NAME))
        say(f"content: otto served {taken.served[-1]:.2f} s, Ready {taken.known[-1]:.2f} s ({run})")
    at.home.stop()


def _by_script(at: Stage, number: int, site: plain.Site, taken: Taken) -> plain.Site:
    hosts = at.script.outputs(site.folder)["hosts"]
    web = [(host["address"], host["http_port"]) for host in hosts if host["role"] == "web"]
    # OttO's connections are warm, so the script's shall be.
    site = at.script.deploy(site, at.content, "page")
    for push in range(PUSHES):
        note = f"the script's change {number}.{push}"
        files.commit_page(at.content, note)
        watch = Watch(web, site.domain, note)
        taken.measure(watch, partial(at.script.deploy, site, at.content, "page"))
        say(f"content: script served {taken.served[-1]:.2f} s, all {taken.known[-1]:.2f} s")
    return site
