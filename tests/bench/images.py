"""Golden images beside the base image: a fresh site until it is Ready, and a lost server until it is back."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.acceptance.harness import site_spec
from tests.bench import files, plain
from tests.bench.figure import Figure, median
from tests.bench.files import PAGE
from tests.bench.interruption import undisturbed
from tests.bench.progress import say
from tests.bench.stage import Changes, Stage, stage, steps

from otto.adapters.clock import SystemClock
from otto.adapters.store import open_store
from otto.model.spec import Role
from otto.model.status import Phase, SiteStatus

ROUNDS = 5
FRESH_GOAL, LOST_GOAL = 12.0, 10.0
_BACK = 120.0
_LOOK = 0.01
_KINDS = {"golden": ("nginx", "haproxy"), "base": ("base", "base")}


def measure() -> list[Figure]:
    """Bring sites of two web servers and a balancer up on either, in turn, and take a server from each."""
    fresh: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    lost: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    with stage() as at, _built(at):
        for number in range(1, ROUNDS + 1):
            for kind in _KINDS:
                up, back = _life(at, f"{kind}-{number}", kind)
                fresh[kind].append(up)
                lost[kind].append(back)
    return [
        _figure("a fresh site to Ready, golden images", fresh, FRESH_GOAL),
        _figure("a lost server back, golden images", lost, LOST_GOAL),
    ]


def _figure(what: str, found: dict[str, list[float]], goal: float) -> Figure:
    base = median(found["base"])
    return Figure(what, median(found["golden"]), "s", goal=goal, baseline="base image", base=base)


@contextmanager
def _built(at: Stage) -> Iterator[None]:
    """Have the images; those that were made for this go afterwards."""
    say("building images")
    began = time.perf_counter()
    at.home.otto("images", "build", "nginx", "haproxy")
    say(f"images built in {time.perf_counter() - began:.2f} s")
    try:
        yield
    finally:
        with undisturbed():
            at.home.otto("destroy", "--all", "--yes", status=None)
            # By our own names: another home may have the same images.
            named = f"localhost/otto-*:*-{at.home.owner}"
            for name in _podman("images", "--format", "{{.Repository}}:{{.Tag}}", named).split():
                _podman("rmi", name)


def _life(at: Stage, name: str, kind: str) -> tuple[float, float]:
    """A site from its push to its end: seconds to Ready, and from a server's end until it is back."""
    at.home.start()
    _commit(at, name, *_KINDS[kind])
    up = at.push_until_ready([name], at.home.git("rev-parse", "HEAD").strip())
    back = asyncio.run(_lose(at, name))
    say(f"{name}: {up:.2f} s to Ready; {back:.2f} s for a lost server ({steps(at.last_run(name))})")
    at.home.stop()
    at.home.otto("destroy", name, "--yes")
    return up, back


def _commit(at: Stage, name: str, web: str, balancer: str) -> None:
    text = site_spec(name, web=2, contains=PAGE, content="page")
    for role, image in (("web:\n    count: 2", web), ("balancer:\n    count: 1", balancer)):
        text = text.replace(role, f"{role}\n    image: {image}")
    at.home.write(f"specs/{name}.yaml", text)
    at.home.write("sites/page/index.html", files.page(f"{name} is wanted"))
    at.home.git("add", "-A")
    at.home.git("commit", "-q", "-m", f"{name} is wanted")


async def _lose(at: Stage, name: str) -> float:
    """Take a web server away; seconds until the site is Ready with another in its place."""
    async with open_store(at.home.home / "otto.db", SystemClock()) as store:
        before = await store.status(name)
        server = f"{name}-web-1"
        taken = _id(before, server)
        began = time.perf_counter()
        await asyncio.to_thread(at.home.remove_container, server)
        with closing(Changes(at.home.home / "otto.db")) as changes:
            while time.perf_counter() - began < _BACK:
                if changes.any():
                    status = await store.status(name)
                    if status and status.phase is Phase.READY and _id(status, server) not in ("", taken):
                        return time.perf_counter() - began
                await asyncio.sleep(_LOOK)
    raise plain.ScriptError(f"OttO: {server} is not back after {_BACK:g} s")


def _id(status: SiteStatus | None, server: str) -> str:
    hosts = status.hosts if status else ()
    return next((host.id for host in hosts if host.name == server and host.role is Role.WEB), "")


def _podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
