"""From a commit in a real repository, and a pull request against it, to what a forge has in the end."""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.forge.conftest import Connect
from tests.integration.forge.server import ForgeServer

from otto.adapters.forge import OpenForge
from otto.adapters.git import open_proposals, open_source
from otto.config import ForgeSettings, SourceSettings
from otto.reconcile.controller import Controller
from otto.testing import World, site_spec, spec_text

_PERSON = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *_PERSON, *arguments], cwd=where, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.strip()


class Repository:
    """A bare repository, and a working copy of it."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.work = folder / "specs.git", folder / "work"
        self.work.mkdir(parents=True)
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(self.work, "init", "-q", "-b", "main")

    def push(self, files: dict[str, str], ref: str = "refs/heads/main") -> str:
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "-m", "change")
        git(self.work, "push", "-q", str(self.bare), f"HEAD:{ref}")
        return git(self.work, "rev-parse", "HEAD")


class At:
    """The adapter, for a repository that lies on this machine and is `acme/specs` at the server."""

    def __init__(self, forge: OpenForge) -> None:
        self._forge = forge

    def repository(self, url: str) -> str:
        return "acme/specs" if url.endswith("/specs.git") else ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)


async def eventually(world: World, condition: Callable[[], object]) -> None:
    """Let simulated time pass, and real requests and programs come to their end meanwhile."""
    async with asyncio.timeout(20):
        while not condition():
            await world.clock.advance(0.5)
            await asyncio.sleep(0.02)


async def test_commit_and_pull_request_end_up_at_the_forge(
    kind: str, server: ForgeServer, connect: Connect, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "git")
    page = {"sites/one/index.html": "<h1>It works</h1>"}
    commit = repository.push({"specs/one.json.yaml": spec_text(site_spec("one", checks=())), **page})
    server.commits = {commit}
    world, url = World(), f"file://{repository.bare}"
    home = tmp_path / "home"
    home.mkdir()
    source = open_source(home, url=url)
    kit = replace(
        world.kit(),
        source=source,
        forge=At(connect()),
        proposals=open_proposals(home, url=url),
        forging=ForgeSettings(interval=0.5),
    )
    controller = Controller(kit, home, SourceSettings(url=url), lambda _: contextlib.nullcontext(source))
    async with controller.running():
        await eventually(world, lambda: any(s["state"] == "success" for s in server.statuses))
        git(repository.work, "checkout", "-q", "-b", "proposal")
        ref = "refs/merge-requests/7/head" if kind == "gitlab" else "refs/pull/7/head"
        better = {"sites/one/index.html": "<h1>It works</h1> @everyone"}
        head = repository.push(better, ref)
        server.commits.add(head)
        server.pull(7, head)  # type: ignore[attr-defined]
        await eventually(world, lambda: server.comments)
        (comment,) = server.comments.values()
        assert "| `one` | " in comment["body"]
        assert "deploy" in comment["body"]
        server.pulls.clear()
        await eventually(world, lambda: "Outdated" in comment["body"])
    states = {s.get("context", s.get("name")) for s in server.statuses if s["sha"] == commit}
    assert states == {"otto", "otto/one"}
    assert [s["state"] for s in server.statuses if s["sha"] == head] == ["success"]
    if kind != "gitea":
        assert [one["environment"] for one in server.deployments.values()] == ["one"]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """git of the machine's user is nobody's business here."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
