"""A controller over real repositories: what is pushed, what is let in, and what the pusher reads."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.git import open_source, quarantined, seed
from otto.adapters.signatures import SignatureTools
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.config import SourceSettings
from otto.model.errors import TerminalError
from otto.model.policy import FleetPolicy
from otto.model.signature import Demand, KnownKey, Signatures
from otto.model.spec import Content
from otto.ports import Source
from otto.reconcile.controller import Controller
from otto.reconcile.vouched import ContentDoor
from otto.testing import FakeClock, World
from otto.testing.policy import MemoryPolicies

from .signing import WHEN, PgpKeys, SshKey, run

SPEC = (
    "apiVersion: otto/v1\nkind: Site\nmetadata: {name: NAME}\nspec: {content: {path: sites}, suspend: true}\n"
)
PERSON = "person@example.org"
# gpg signs at the machine's own time.
NOW = datetime.now(UTC)


@dataclass
class Work:
    """A working copy whose commits and tags are signed with a key of SSH's, or not."""

    path: Path
    key: SshKey | None = None
    count: int = 0

    def git(self, *words: str, check: bool = True) -> str:
        """Run git; what it wrote on both outputs, or else a failure."""
        self.count += 1
        at = f"{WHEN + 60 * self.count} +0000"
        people = {
            f"GIT_{who}_{what}": PERSON for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        times = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        config = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "HOME": str(self.path)}
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.key.path}") if self.key else ()
        command = " ".join(
            ["git", *map(_quoted, (*signing, *words)), "2>&1", *([] if check else ["|| true"])]
        )
        return run("sh", "-c", command, where=self.path, environment=people | times | config).decode()

    def commit(self, name: str, *, signed: bool) -> str:
        """Commit a spec of that name; its id."""
        (self.path / "specs").mkdir(exist_ok=True)
        (self.path / "sites").mkdir(exist_ok=True)
        (self.path / "specs" / f"{name}.yaml").write_text(SPEC.replace("NAME", name))
        (self.path / "sites" / "index.html").write_text("hello")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"site {name}", *(["-S"] if signed else []))
        return self.git("rev-parse", "HEAD").strip()


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


@dataclass
class Scene:
    """A home, a working copy beside it, and a policy."""

    home: Path
    work: Work
    key: SshKey
    policies: MemoryPolicies

    @property
    def remote(self) -> str:
        """Where to push."""
        return str(self.home / "specs.git")

    def demand(self, require: Demand = Demand.COMMITS, **more: object) -> None:
        """Demand signatures of the key."""
        known = (KnownKey(ssh=self.key.line()),)
        self.policies.policy = FleetPolicy(signatures=Signatures(require, known, **more))  # type: ignore[arg-type]

    async def push(self, *words: str) -> str:
        """Push; what the pusher reads."""
        return await asyncio.to_thread(self.work.git, "push", self.remote, *words, check=False)

    @asynccontextmanager
    async def controller(self) -> AsyncIterator[Controller]:
        """A controller that answers its hooks; nothing is done to any site."""
        world = World(FakeClock(NOW))
        vouching = SignatureTools(self.home)
        source = open_source(self.home, signatures=lambda: self.policies.fleet().signatures)
        kit = replace(
            world.kit(),
            source=source,
            specs=CachedSpecs(YamlSpecs()),
            vouching=vouching,
            policies=self.policies,
        )
        controller = Controller(kit, self.home, SourceSettings(), functools.partial(quarantined, self.home))
        await controller.start()
        try:
            yield controller
        finally:
            await controller.stop()


@pytest.fixture
def scene(tmp_path: Path, key: SshKey) -> Scene:
    home = tmp_path / "home"
    seed(home, tmp_path / "none", tmp_path / "none")
    (tmp_path / "work").mkdir()
    work = Work(tmp_path / "work", key)
    work.git("init", "-q", "-b", "main")
    return Scene(home, work, key, MemoryPolicies())


async def test_a_signed_push_is_let_in_and_an_unsigned_one_refused_at_once(scene: Scene) -> None:
    scene.demand()
    good = scene.work.commit("one", signed=True)
    async with scene.controller() as controller:
        assert "1 site" in await scene.push("main")
        assert controller.fleet.catalogue.commit == good
        bad = scene.work.commit("two", signed=False)
        answer = await scene.push("main")
        assert f"commit {bad[:12]} is refused: it is not signed (written by {PERSON} <{PERSON}>)" in answer
        assert "to go on: sign it with a key of the fleet's policy" in answer
        assert "pre-receive hook declined" in answer
        assert controller.fleet.catalogue.commit == good
        scene.work.git("commit", "-q", "--amend", "--no-edit", "-S")
        assert "accepted  two" in await scene.push("main")
        assert controller.fleet.names() == {"one", "two"}


async def test_what_came_while_nobody_ran_is_not_deployed(scene: Scene) -> None:
    scene.demand()
    good = scene.work.commit("one", signed=True)
    async with scene.controller() as controller:
        await scene.push("main")
        assert controller.fleet.catalogue.commit == good
    bad = scene.work.commit("two", signed=False)
    assert "accepted unjudged" in await scene.push("main")
    async with scene.controller() as controller:
        assert controller.watcher.state.commit == bad
        assert "it is not signed" in controller.watcher.state.unsigned


async def test_a_policy_that_comes_later_has_pushes_judged_from_the_next_look_on(scene: Scene) -> None:
    scene.work.commit("one", signed=False)
    async with scene.controller() as controller:
        await scene.push("main")
        scene.demand()
        await controller.watcher.look()
        scene.work.commit("two", signed=False)
        assert "pre-receive hook declined" in await scene.push("main")


async def test_a_clock_that_is_behind_is_no_way_back(scene: Scene) -> None:
    scene.demand()
    scene.work.count = 100
    scene.work.commit("one", signed=True)
    async with scene.controller() as controller:
        await scene.push("main")
        scene.work.count = 10
        behind = scene.work.commit("two", signed=True)
        assert "accepted  two" in await scene.push("main")
        assert controller.fleet.catalogue.commit == behind
        # The older one, signed once, is pushed again: it does not build on what is in force.
        scene.work.git("checkout", "-q", "--orphan", "other")
        scene.work.count = 0
        scene.work.commit("three", signed=True)
        answer = await scene.push("--force", "other:main")
        assert "is older than the commit in force" in answer
        assert controller.fleet.catalogue.commit == behind


async def test_a_key_that_is_pushed_counts_for_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.demand()
    scene.work.commit("one", signed=True)
    async with scene.controller():
        await scene.push("main")
        scene.work.key = SshKey.made(tmp_path / "mallory")
        for name in ("allowed_signers", ".gitsigners", "policy.yaml"):
            (scene.work.path / name).write_text(scene.work.key.line())
        scene.work.commit("two", signed=True)
        answer = await scene.push("main")
        assert f"the fleet's policy does not know: {scene.work.key.fingerprint}" in answer
        assert "pre-receive hook declined" in answer


async def test_a_signature_of_another_commit_is_refused(scene: Scene) -> None:
    scene.demand()
    good = scene.work.commit("one", signed=True)
    async with scene.controller():
        await scene.push("main")
        text = scene.work.git("cat-file", "commit", good)
        scene.work.commit("two", signed=False)
        tree = scene.work.git("rev-parse", "HEAD^{tree}").strip()
        first, _, rest = text.partition("\n")
        assert first.startswith("tree ")
        (scene.work.path / "forged").write_text(f"tree {tree}\n{rest}")
        forged = scene.work.git("hash-object", "-t", "commit", "-w", "forged").strip()
        scene.work.git("update-ref", "refs/heads/main", forged)
        answer = await scene.push("--force", "main")
        assert "its signature is not of what it says" in answer
        assert "pre-receive hook declined" in answer


async def test_a_merge_counts_by_who_made_the_merge(scene: Scene) -> None:
    scene.demand()
    scene.work.commit("one", signed=True)
    async with scene.controller() as controller:
        await scene.push("main")
        scene.work.git("checkout", "-q", "-b", "topic")
        scene.work.commit("two", signed=False)
        scene.work.git("checkout", "-q", "main")
        scene.work.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
        assert "it is not signed" in await scene.push("main")
        scene.work.git("commit", "-q", "--amend", "--no-edit", "-S")
        await scene.push("main")
        assert controller.fleet.names() == {"one", "two"}


async def test_the_newest_signed_tag_is_deployed_and_not_the_newest_commit(scene: Scene) -> None:
    scene.demand(Demand.TAGS, tags="v*")
    first = scene.work.commit("one", signed=False)
    scene.work.git("tag", "-s", "-m", "release", "v1")
    second = scene.work.commit("two", signed=False)
    async with scene.controller() as controller:
        await scene.push("main", "v1")
        assert controller.fleet.catalogue.commit == first
        assert controller.watcher.state.commit == second
        # One that nobody signed is refused at once; other tags are nobody's business.
        scene.work.git("tag", "-a", "-m", "release", "v2")
        scene.work.git("tag", "-a", "-m", "release", "w2")
        assert "tag v2 is refused: it is not signed (tagged by" in await scene.push("v2")
        assert "declined" not in await scene.push("w2")
        assert controller.watcher.state.unsigned == ""
        scene.work.git("tag", "-f", "-s", "-m", "release", "v2")
        await scene.push("v2")
        assert controller.fleet.catalogue.commit == second
        # Taking it away, or bringing an old one back under a new name, takes nothing back.
        await scene.push(":v2")
        assert controller.fleet.catalogue.commit == second
        scene.work.git("update-ref", "refs/tags/v9", scene.work.git("rev-parse", "v1").strip())
        assert "calls itself 'v1'" in await scene.push("v9")
        # A new tag of an old commit is somebody's word that this is wanted.
        scene.work.git("tag", "-s", "-m", "back", "v3", first)
        await scene.push("v3")
        assert controller.fleet.catalogue.commit == first


async def test_a_tag_of_a_commit_that_is_not_of_the_branch_is_not_deployed(scene: Scene) -> None:
    scene.demand(Demand.TAGS)
    first = scene.work.commit("one", signed=False)
    scene.work.git("tag", "-s", "-m", "release", "v1")
    async with scene.controller() as controller:
        await scene.push("main", "v1")
        scene.work.git("checkout", "-q", "-b", "topic")
        scene.work.commit("two", signed=False)
        scene.work.git("tag", "-s", "-m", "release", "v2")
        await scene.push("topic", "v2")
        assert controller.fleet.catalogue.commit == first
        assert "tag v2 is refused: it is of no commit of the branch" in controller.watcher.state.unsigned


async def test_openpgp_signatures_of_git_itself_count(scene: Scene, pgp: PgpKeys) -> None:
    known = (KnownKey(openpgp=pgp.export("ada")),)
    scene.policies.policy = FleetPolicy(signatures=Signatures(Demand.COMMITS, known))
    scene.work.key = None
    program = scene.home / "gpg"
    program.write_text(f'#!/bin/sh\nexec gpg --homedir {pgp.home} "$@"\n')
    program.chmod(0o755)
    scene.work.git("config", "gpg.program", str(program))
    scene.work.git("config", "user.signingKey", "ada@example.org")
    good = scene.work.commit("one", signed=True)
    async with scene.controller() as controller:
        await scene.push("main")
        assert controller.fleet.catalogue.commit == good
        scene.work.git("config", "user.signingKey", "grace@example.org")
        scene.work.commit("two", signed=True)
        assert "does not know: key" in await scene.push("main")


async def test_content_of_another_repository_has_to_be_signed_where_the_policy_says_so(scene: Scene) -> None:
    scene.demand(content=True)
    vouch = ContentDoor(scene.policies, SignatureTools(scene.home), FakeClock(NOW))
    content = functools.partial(Content, "sites", f"file://{scene.work.path}/.git")

    def source() -> Source:
        return open_source(scene.home, local_content=True, vouch=vouch, content_interval=0.0)

    scene.work.commit("one", signed=False)
    with pytest.raises(TerminalError, match=r"the content of file:.* at main: commit .* it is not signed"):
        await source().content("", content("main"))
    # The branch's commit is signed, but not the one below it; a tag of that one is.
    scene.work.git("tag", "-s", "-m", "release", "v1")
    scene.work.commit("two", signed=True)
    tree = scene.work.git("rev-parse", "HEAD:sites").strip()
    assert await source().content("", content("main")) == tree
    assert await source().content("", content("v1")) == tree
    scene.work.git("tag", "-a", "-m", "release", "v2")
    with pytest.raises(TerminalError, match="tag v2 is refused: it is not signed"):
        await source().content("", content("v2"))
    scene.demand(content=False)
    assert await source().content("", content("v2")) == tree
