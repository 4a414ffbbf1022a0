"""Content that may not be served, out of real repositories, and what becomes of its site: nothing by half."""

import asyncio
import resource
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from otto.adapters.git import open_source, seed
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.config import LoopSettings, SourceSettings
from otto.model.pipeline import Pipeline, StageKind, Trigger
from otto.model.run import Outcome
from otto.model.status import ConditionType, SiteStatus
from otto.reconcile.controller import Controller
from otto.testing import World
from otto.testing.probe import MemoryProbe

from .gitting import Work, git

PAGE = "<!doctype html><title>t</title>\n<h1>It works</h1>\n"
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
SPEC = """apiVersion: otto/v1
kind: Site
metadata: {name: one}
spec:
  provider: lab
  content: WHERE
"""
PATIENCE = 15.0


@dataclass
class Scene:
    """A repository of specs, one of content, and a controller over them whose hosts are in memory."""

    home: Path
    specs: Work
    content: Work
    world: World = field(default_factory=World)

    @property
    def url(self) -> str:
        return f"file://{self.content.path}/.git"

    def spec(self, where: str) -> str:
        return SPEC.replace("WHERE", where)

    @asynccontextmanager
    async def controller(self) -> AsyncIterator[Controller]:
        source = open_source(self.home, local_content=True, content_interval=0.0)
        self.world.probe = MemoryProbe(self.world.hosts, lambda _: {"index.html": PAGE.encode()})
        kit = self.world.kit(LoopSettings(workers=2, verifyDeadline=1.0))
        kit = replace(kit, source=source, specs=CachedSpecs(YamlSpecs()))
        controller = Controller(kit, self.home, SourceSettings(), lambda _: nullcontext(source))
        async with controller.running():
            yield controller

    async def until(self, holds: Callable[[SiteStatus, Pipeline], bool]) -> tuple[SiteStatus, Pipeline]:
        """The site's status and its newest pipeline, as soon as they are as said."""
        end = time.monotonic() + PATIENCE
        while True:
            status = await self.world.store.status("one")
            pipelines = await self.world.store.pipelines.pipelines("one", 1)
            if status is not None and pipelines and holds(status, pipelines[0]):
                return status, pipelines[0]
            assert time.monotonic() < end, f"{status}\n{pipelines}"
            await asyncio.sleep(0.02)
            await self.world.clock.advance(0.1)

    async def ready(self) -> SiteStatus:
        return (await self.until(lambda status, pipeline: status.ready and _over(pipeline)))[0]

    def revisions(self) -> set[str | None]:
        return {host.revision for host in self.world.hosts if "web" in host.name}


def _over(pipeline: Pipeline) -> bool:
    return pipeline.ended_at is not None


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    home = tmp_path / "home"
    seed(home, tmp_path / "none", tmp_path / "none")
    content = Work(tmp_path / "content")
    content.commit({"site/index.html": PAGE})
    return Scene(home, Work(tmp_path / "specs"), content)


def submodule(work: Work) -> None:
    head = git(work.path, "rev-parse", "HEAD").strip()
    git(work.path, "update-index", "--add", "--cacheinfo", f"160000,{head},site/sub")
    git(work.path, "commit", "-q", "-m", "a submodule")


def lfs(work: Work) -> None:
    work.commit({"site/big.png": LFS})


def link(work: Work) -> None:
    (work.path / "site" / "passwords").symlink_to("/etc/passwd")
    work.commit({})


def upwards(work: Work) -> None:
    (work.path / "site" / "up").symlink_to("../../secret")
    work.commit({"secret": "x"})


def escaping(work: Work) -> None:
    blob = git(work.path, "rev-parse", "HEAD:site/index.html").strip()
    raw = b"100644 ..\0" + bytes.fromhex(blob)
    made = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        cwd=work.path,
        input=raw,
        capture_output=True,
        check=True,
    )
    _commit_tree(work, f"040000 tree {made.stdout.decode().strip()}\tsite")


def huge(work: Work) -> None:
    """2 GiB in sixteen files, of one and the same blob of zeros: a few kilobytes of disk."""
    sparse = work.path / "zeros"
    with sparse.open("wb") as stream:
        stream.truncate(128 * 1024**2)
    blob = git(
        work.path, "-c", "core.bigFileThreshold=1m", "hash-object", "-w", "--no-filters", "zeros"
    ).strip()
    sparse.unlink()
    page = git(work.path, "rev-parse", "HEAD:site/index.html").strip()
    entries = [f"100644 blob {blob}\tzeros-{number:02}" for number in range(16)]
    tree = _tree(work, *entries, f"100644 blob {page}\tindex.html")
    _commit_tree(work, f"040000 tree {tree}\tsite")


def _tree(work: Work, *entries: str) -> str:
    text = "\n".join(entries)
    made = subprocess.run(
        ["git", "mktree"], cwd=work.path, input=text, text=True, capture_output=True, check=True
    )
    return made.stdout.strip()


def _commit_tree(work: Work, *entries: str) -> None:
    made = git(work.path, "commit-tree", _tree(work, *entries), "-p", "HEAD", "-m", "by hand").strip()
    git(work.path, "update-ref", "refs/heads/main", made)


def gone(work: Work) -> None:
    shutil.rmtree(work.path)


def no_branch(work: Work) -> None:
    git(work.path, "branch", "-m", "main", "other")


BAD: dict[str, tuple[Callable[[Work], None], str]] = {
    "submodule": (submodule, "the content holds a submodule: sub"),
    "LFS pointer": (lfs, "a Git LFS pointer instead of a file: big.png"),
    "link to the machine's files": (link, "leads to no file inside it: passwords -> /etc/passwd"),
    "link out of the folder": (upwards, "leads to no file inside it: up -> ../../secret"),
    "path that escapes": (escaping, "a name in the content is not allowed: .."),
    "2 GiB": (huge, f"the content is {2 * 1024**3 + len(PAGE)} bytes in all, at most {1024**3} are allowed"),
    "repository gone": (gone, "content/.git cannot be reached: there"),
    "branch gone": (no_branch, "it has no branch or tag main"),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_may_not_be_served_is_said_on_the_site_and_nothing_of_it_is_deployed(
    scene: Scene, what: str
) -> None:
    spoil, words = BAD[what]
    scene.specs.commit({"specs/one.yaml": scene.spec(f"{{git: '{scene.url}', ref: main, path: site}}")})
    scene.specs.push(scene.home / "specs.git")
    async with scene.controller() as controller:
        await scene.ready()
        served, before = scene.revisions(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        spoil(scene.content)
        await controller.triggers.asked("one", "ada")
        status, pipeline = await scene.until(
            lambda status, newest: (
                bool(status.failures) and newest.outcome is Outcome.FAILED and _over(newest)
            )
        )
        grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
        assert scene.revisions() == served
    assert words in status.message
    valid = status.conditions[ConditionType.VALID.value]
    assert (valid.status.value, valid.reason) == ("False", "Unresolved")
    assert words in valid.message
    assert status.ready  # what is deployed serves on
    assert pipeline.outcome is Outcome.FAILED
    assert pipeline.furthest is not None
    assert pipeline.furthest.kind is (StageKind.FETCH if "gone" in what else StageKind.VALIDATE)
    assert (pipeline.event.trigger, pipeline.event.by) == (Trigger.API, "ada")
    assert words in pipeline.message
    assert not any(stage.kind is StageKind.DEPLOY for stage in pipeline.stages)
    assert grown < 512 * 1024  # kilobytes


async def test_a_site_whose_first_content_is_refused_gets_no_host(scene: Scene) -> None:
    lfs(scene.content)
    scene.specs.commit({"specs/one.yaml": scene.spec(f"{{git: '{scene.url}', ref: main, path: site}}")})
    scene.specs.push(scene.home / "specs.git")
    async with scene.controller():
        status, pipeline = await scene.until(lambda status, newest: bool(status.failures) and _over(newest))
    assert "Git LFS pointer" in status.message
    assert (status.ready, pipeline.outcome) == (False, Outcome.FAILED)
    assert await scene.world.infrastructure.inventory("one") == ()


async def test_content_that_is_mended_is_deployed(scene: Scene) -> None:
    scene.specs.commit({"specs/one.yaml": scene.spec(f"{{git: '{scene.url}', ref: main, path: site}}")})
    scene.specs.push(scene.home / "specs.git")
    async with scene.controller() as controller:
        await scene.ready()
        before = scene.revisions()
        lfs(scene.content)
        await controller.triggers.asked("one", "ada")
        await scene.until(lambda status, newest: newest.outcome is Outcome.FAILED and bool(status.failures))
        scene.content.commit({"site/big.png": "a picture after all"})
        await controller.triggers.asked("one", "eve")
        status, _ = await scene.until(
            lambda status, newest: newest.outcome is Outcome.SUCCEEDED and not status.failures
        )
        after = scene.revisions()
    assert status.holds(ConditionType.VALID)
    assert len(after) == 1
    assert after != before


async def test_of_two_pushes_within_a_second_the_last_is_deployed_and_each_is_on_record(scene: Scene) -> None:
    scene.specs.commit({"specs/one.yaml": scene.spec("{path: site}"), "site/index.html": PAGE})
    scene.specs.push(scene.home / "specs.git")
    async with scene.controller() as controller:
        await scene.ready()
        gate = scene.world.configuration.failures.hold("deploy")
        commits = []
        for number in range(2):
            commits.append(scene.specs.commit({"site/index.html": f"{PAGE}{number}"}))
            await asyncio.to_thread(scene.specs.push, scene.home / "specs.git")
            await controller.watcher.look()
            await scene.world.clock.advance(0.3)
        gate.open()
        await scene.until(lambda status, newest: status.commit == commits[-1] and _over(newest))
        pipelines = await scene.world.store.pipelines.pipelines("one")
        revisions = scene.revisions()
    tree = git(scene.specs.path, "rev-parse", "HEAD:site").strip()
    assert revisions == {tree}
    told = {item.event.commit: item.outcome for item in pipelines}
    assert told[commits[1]] is Outcome.SUCCEEDED
    assert told[commits[0]] in (Outcome.SUPERSEDED, Outcome.SUCCEEDED)
