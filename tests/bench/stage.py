"""Where a benchmark on the lab takes place: an OttO of its own, and the plain script beside it.

Both use the same engine, image, provider and pool of networks. All of it is removed at the end.
"""

import asyncio
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.acceptance.harness import Home, site_spec
from tests.bench import files, plain
from tests.bench.files import PAGE, Provider
from tests.bench.interruption import undisturbed
from tests.bench.progress import say

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.git import seed
from otto.adapters.store import open_store
from otto.config import LoopSettings
from otto.model.errors import OttoError
from otto.model.run import Run
from otto.model.status import Phase, SiteStatus

AT_ONCE = "  rollout: {strategy: all}\n"

# No test's, and no user's unless by accident; another one by the usual variable.
_POOL = "10.211.0.0/18"
_READY = 900.0
_LOOK = 0.01


class Changes:
    """Tells whether others have written to a database, at next to no cost.

    Whoever watches takes from what is watched: a status read every 10 ms took a tenth of a core.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._seen = -1

    def any(self) -> bool:
        """Whether there is something new since this was asked last; so it is at first."""
        before = self._seen
        (self._seen,) = self._connection.execute("PRAGMA data_version").fetchone()
        return self._seen != before

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@dataclass(frozen=True)
class Stage:
    """One OttO, one script.

    Attributes:
        home: OttO's.
        base: folder of the script's files.
        script: the script.
        owner: whose all is that the script makes.
        provider: what both make hosts with.
    """

    home: Home
    base: Path
    script: plain.Script
    owner: str
    provider: Provider

    def plain_site(self, name: str) -> plain.Site:
        """A site for the script, of which there are only files."""
        return files.site(self.base, name, self.owner, self.provider)

    @property
    def content(self) -> Path:
        """The script's repository of content."""
        return self.base / "content"

    def commit(self, names: Sequence[str], note: str) -> str:
        """Commit specs of sites and the page all of them serve, ready to be pushed; the commit."""
        for name in names:
            # At once, as the script it is compared with does it.
            text = site_spec(name, web=2, contains=PAGE, content="page", more=AT_ONCE)
            self.home.write(f"specs/{name}.yaml", text)
        self.home.write("sites/page/index.html", files.page(note))
        self.home.git("add", "-A")
        self.home.git("commit", "-q", "-m", note)
        return self.home.git("rev-parse", "HEAD").strip()

    def push_until_ready(self, names: Sequence[str], commit: str) -> float:
        """Push, and wait until sites are Ready at that commit; seconds since the push began."""
        began = datetime.now(UTC)
        took = asyncio.run(self._push_until_ready(names, commit))
        run = self.last_run(names[0])
        waited = (run.started_at - began).total_seconds()
        say(f"  {names[0]}: run began {waited:.2f} s after the push: {steps(run)}")
        return took

    async def _push_until_ready(self, names: Sequence[str], commit: str) -> float:
        async with open_store(self.home.home / "otto.db", SystemClock()) as store:
            began = time.perf_counter()
            push = asyncio.create_task(asyncio.to_thread(self.home.git, "push", "-q", "origin", "HEAD:main"))
            left = list(names)
            with closing(Changes(self.home.home / "otto.db")) as changes:
                while left:
                    if changes.any():
                        left = [name for name in left if not _is_ready(await store.status(name), commit)]
                        continue
                    if time.perf_counter() - began > _READY:
                        raise plain.ScriptError(f"OttO: not Ready after {_READY:g} s: {left[0]}")
                    await asyncio.sleep(_LOOK)
            took = time.perf_counter() - began
            await push
            return took

    def start_and_settle(self, names: Sequence[str]) -> None:
        """Start the controller, and wait until it has looked at every site and left all as it was."""
        began = datetime.now(UTC)
        self.home.start()
        for name in names:
            self.home.wait_for("looked at", name, lambda status: _is_settled(status, began), _READY)

    def last_run(self, name: str) -> Run:
        """The last run over a site."""

        async def read() -> tuple[Run, ...]:
            async with open_store(self.home.home / "otto.db", SystemClock()) as store:
                return await store.runs(name, 1)

        return asyncio.run(read())[0]


@contextmanager
def stage() -> Iterator[Stage]:
    """Set it up: the lab is there, no controller runs, no site is wanted."""
    with ExitStack() as stack:
        home = Home.make(**_settings())
        stack.callback(_strike, home)
        _prepare(home)
        base = Path(tempfile.mkdtemp(prefix="otto-b."))
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        owner = secrets.token_hex(4)
        stack.callback(_remove_labelled, owner)
        tools = plain.Tools(_terraform(), resources.path("infra", "ansible"), base, files.new_key(base))
        script = plain.Script(tools)
        stack.callback(script.close)
        files.commit_page(base / "content", "to begin with")
        yield Stage(home, base, script, owner, _provider(home))


def steps(run: Run) -> str:
    """Seconds of each step of a run."""
    shown = [
        f"{step.kind} {(step.ended_at - step.started_at).total_seconds():.2f}"
        for step in run.steps
        if step.ended_at is not None
    ]
    return ", ".join(shown)


def parts(took: dict[str, float]) -> str:
    """Seconds of each part of the script."""
    return ", ".join(f"{name} {seconds:.2f}" for name, seconds in took.items())


def _is_ready(status: SiteStatus | None, commit: str) -> bool:
    return status is not None and status.ready and status.phase is Phase.READY and status.commit == commit


def _is_settled(status: SiteStatus, began: datetime) -> bool:
    return status.updated_at > began and status.phase is Phase.READY and status.next_look is not None


def _settings() -> dict[str, str]:
    """Everything as it is by default, but for what has to be a benchmark's own."""
    loop = LoopSettings()
    return {
        "OTTO_LAB_POOL": os.environ.get("OTTO_LAB_POOL", _POOL),
        "OTTO_LOOP_INTERVAL": str(loop.interval),
        "OTTO_LOOP_BACKOFFBASE": str(loop.backoffBase),
        "OTTO_LOOP_BACKOFFCAP": str(loop.backoffCap),
    }


def _prepare(home: Home) -> None:
    say("setting the lab up")
    with tempfile.TemporaryDirectory(prefix="otto-b.") as folder:
        drafts = Path(folder)
        plain.write(drafts / "sites" / "page" / "index.html", files.page("to begin with"))
        (drafts / "specs").mkdir()
        seed(home.home, drafts / "specs", drafts / "sites")
    home.otto("lab", "up")
    home.clone()


def _provider(home: Home) -> Provider:
    engine = json.loads(home.otto("lab", "status", "--json"))["engine"]["url"]
    return Provider(engine, home.settings["OTTO_LAB_POOL"], home.home / "lab" / "terraform" / "mirror")


def _terraform() -> str:
    found = shutil.which(os.environ.get("OTTO_TERRAFORM_BINARY", "terraform"))
    if found is None:
        raise OttoError("terraform is not installed")
    return found


def _strike(home: Home) -> None:
    say("removing what was made")
    with undisturbed():
        home.close()


def _remove_labelled(owner: str) -> None:
    """Remove all the script made, whatever state it was left in."""
    label = f"label=otto.owner={owner}"
    with undisturbed():
        for hosts in _listed("ps", "-aq", "--filter", label):
            _podman("rm", "-f", "-t", "0", hosts)
        for network in _listed("network", "ls", "-q", "--filter", label):
            _podman("network", "rm", "-f", network)


def _listed(*arguments: str) -> list[str]:
    return _podman(*arguments).split()


def _podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
