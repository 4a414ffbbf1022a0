"""A home whose guard is put to the test: what it holds, what people say to it, and what is on record."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from otto.adapters.clock import SystemClock
from otto.adapters.identity import identity
from otto.adapters.store import SqlStore, open_store
from otto.cli.compose import seed_if_empty
from otto.config import load
from otto.decide import audit
from otto.lab import image
from otto.model.history import AuditRecord, Grant, GrantKind
from otto.model.image import STABLE, Artifact, Channel, Image, Smoke
from otto.model.observed import Applied
from otto.model.run import Outcome
from otto.model.status import Phase, SiteStatus

from . import damage
from .damage import podman
from .harness import Home, Json, eventually, fetch, site_spec
from .remains import answering

_MOST = 10_000

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """Everything a command could have changed."""

    grants: tuple[Grant, ...]
    record: tuple[AuditRecord, ...]
    intents: dict[str, frozenset[str]]
    hosts: dict[str, Json]


class Guarded(Home):
    """A home, and the questions that stories of the guard ask of it again and again."""

    def begin(self, **specs: str) -> str:
        """Start it over a repository that holds these sites' specs and a small site's content; the commit."""
        seed_if_empty(load(self.environment()))
        self.clone()
        self.git("rm", "-q", "-r", "--ignore-unmatch", "specs", "sites")
        self.write("sites/small/index.html", "<!doctype html><title>Small</title><p>A small site.</p>\n")
        for name, text in specs.items():
            self.write(f"specs/{name}.yaml", text)
        commit, _ = self.push("Small sites")
        self.start()
        return commit

    def change(self, site: str, policy: Json | None = None, *, web: int = 1, **more: str) -> str:
        """Push another spec of a site; the commit."""
        self.write(f"specs/{site}.yaml", spec(site, policy, web=web, **more))
        return self.push(f"{site}: web {web} {policy} {more}")[0]

    def close(self) -> None:
        """Take everything down; what a story that failed has left frozen or protected as well."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if (self.home / "owner").exists():
            self.otto("destroy", "--all", "--yes", "--timeout", "60", status=None)
            for host in self.containers():
                self.remove_container(host)
                shutil.rmtree(self.home / "sites", ignore_errors=True)
        super().close()

    def take_in(self, name: str, golden: str = "", channel: str = STABLE) -> None:
        """Have the index of golden images know an image of the lab, and a channel point at it.

        Args:
            name: what the lab calls it.
            golden: the golden image that it is to be an edition of, "" for one of its own.
            channel: the channel that points at it from now on.
        """
        identity = podman("image", "inspect", "--format", "{{.Id}}", name).strip()
        now = datetime.now(UTC)
        digest = f"sha256:{identity.removeprefix('sha256:')}"
        artifact = Artifact(digest, now, Smoke(passed=True))
        edition = Image(golden or name, digest, image.reference(), now, artifacts={"lab": artifact})

        async def add(store: SqlStore) -> None:
            await store.images.add(edition)
            await store.images.point(Channel(edition.name, channel, digest, now, "ada"))

        self._ask(add)

    def again(self, *, killed: bool = False, group: bool = False) -> None:
        """Start it once more, after it was stopped, or was killed -9."""
        if self.process is not None:
            if killed:
                self.kill(group=group)
            else:
                self.stop()
        self.start()
        process = self.process
        assert process is not None
        eventually("the controller", lambda: answering(self) == process.pid, 60)

    def held(self, site: str, *rules: str, unlike: str | None = None, seconds: float = 60) -> Json:
        """Wait until the guard holds a plan by all of these rules, and the plan is not the one named.

        The site goes on serving meanwhile; as `otto status --json` shows it then.
        """
        return self.wait_for(
            f"held by {', '.join(rules)}",
            site,
            lambda status: {*rules} <= {reason.rule for reason in status.held} and status.plan != unlike,
            seconds,
        )

    def let_go(self, site: str, commit: str = "", seconds: float = 120) -> Json:
        """Wait until a site is Ready, and nothing of it is held."""

        def goes() -> bool:
            status = self.peek(site)
            there = status is not None and (not commit or status.commit == commit)
            return bool(there and status and status.ready and status.phase is Phase.READY and not status.held)

        try:
            eventually(f"{site} Ready and nothing held", goes, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.site(site)}\n{self.told()[-3000:]}") from None
        return self.ready(site, commit, 1)

    def healed(self, site: str, host: str) -> None:
        """A host is killed, and OttO has it back: what is held holds up no repair."""
        before = self.containers()
        damage.kill(host)(self)
        eventually(f"{host} again", lambda: self.containers().get(host, before[host]) != before[host], 60)
        self.wait_for("serving again", site, self._serves, 60)
        assert self.containers().keys() == before.keys()

    def serves(self, site: str) -> None:
        """Visitors get an answer."""
        status = self.peek(site)
        assert status is not None
        assert self._serves(status)

    def _serves(self, status: SiteStatus) -> bool:
        try:
            return fetch(status.endpoints[0].url, f"{status.site}.test")[0] == 200
        except OSError:
            return False

    def judged_again(self, site: str, since: str) -> None:
        """Wait until a run after the one named has ended; it came to waiting."""

        def again() -> bool:
            run = self.peek_runs(site)[0]
            return run.id != since and run.ended_at is not None and run.outcome is not Outcome.INTERRUPTED

        eventually(f"{site} judged again", again, 60)
        assert self.peek_runs(site)[0].outcome is Outcome.WAITING

    def grants(self, kind: GrantKind, site: str | None = None) -> tuple[Grant, ...]:
        """What people said and has not ended."""
        return tuple(
            item for item in self._grants(site) if item.kind is kind and item.holds(datetime.now(UTC))
        )

    def record(self, what: str = "", site: str | None = None) -> tuple[AuditRecord, ...]:
        """The audit record, oldest first: all of it, or what is called so."""

        async def read(store: SqlStore) -> tuple[AuditRecord, ...]:
            return await store.ledger.records(site=site, limit=_MOST)

        return tuple(item for item in self._ask(read) if what in ("", item.entry.what))

    def verdicts(self, site: str) -> list[str]:
        """What the guard said of a site's plans, oldest first."""
        return [item.entry.detail["verdict"] for item in self.record("verdict", site)]

    def whole(self) -> None:
        """The audit record is whole: by its own reckoning, and by the command's."""
        assert audit.broken(self.record()) == ""
        assert "is whole" in self.otto("audit", "--verify")

    def applied(self, site: str) -> Applied:
        """What is known to be in place."""
        return self._ask(lambda store: store.applied(site))

    def standing(self) -> Standing:
        """Everything as it is now."""

        async def read(store: SqlStore) -> dict[str, frozenset[str]]:
            return {item.site: await store.intents(item.site) for item in await store.statuses()}

        return Standing(self._grants(None), self.record(), self._ask(read), self.containers())

    def refuses(self, words: str, *command: str, status: int = 1, typed: str = "") -> None:
        """A command fails, says one thing that is wrong, and has changed nothing."""
        before = self.standing()
        shown = self.otto(*command, status=status, typed=typed)
        assert words in shown, shown
        assert shown.lower().count("error: ") == 1, shown
        assert "Traceback" not in shown
        assert self.standing() == before

    def _grants(self, site: str | None) -> tuple[Grant, ...]:
        async def read(store: SqlStore) -> tuple[Grant, ...]:
            return await store.ledger.grants(site=site)

        return self._ask(read)

    def _ask(self, read: Callable[[SqlStore], Awaitable[T]]) -> T:
        """Something straight from the store."""

        async def ask() -> T:
            async with open_store(self.home / "otto.db", SystemClock()) as store:
                return await read(store)

        return asyncio.run(ask())


def spec(name: str, policy: Json | None = None, *, web: int = 1, **more: str) -> str:
    """A small site's spec.

    Args:
        name: the site's.
        policy: its policy.
        web: how many web servers.
        more: `image` of the web servers, `provider`, `algorithm`, `labels`.
    """
    text = site_spec(name, web=web, algorithm=more.get("algorithm", "roundrobin"))
    text = text.replace("provider: lab", f"provider: {more.get('provider', 'lab')}")
    text = text.replace("  balancer:", f"    image: {more.get('image', 'base')}\n  balancer:", 1)
    return text + f"  policy: {json.dumps(policy or {})}\n"


@contextmanager
def another_image(*commands: str) -> Iterator[str]:
    """Name of an image of the lab that is like its base image, and yet another one.

    Args:
        commands: what is run in it, for one that differs in more than its name.
    """
    run = "".join(f"RUN {command}\n" for command in commands)
    with tempfile.TemporaryDirectory() as made:
        # Named by an owner, so that CI finds what a run left that was cut off.
        folder = Path(made)
        name = f"otto-t-{identity(folder / 'home').owner}"
        (folder / "Containerfile").write_text(f"FROM {image.reference()}\nLABEL otto.test={name}\n{run}")
        podman("build", "--quiet", "--tag", name, made)
        try:
            yield name
        finally:
            podman("rmi", name)
