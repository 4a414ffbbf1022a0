"""A whole OttO of a test's own: its home, its lab pool, its port, driven by the real command line."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from otto.adapters.clock import SystemClock
from otto.adapters.store import open_store
from otto.model.run import Run
from otto.model.status import Phase, SiteStatus

OTTO = (sys.executable, "-m", "otto")
READY = 240.0
_POLL = 0.2

Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: str, holds: Callable[[], Any], seconds: float = READY) -> Any:
    """Wait until something holds; its value. The message says what never came."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL)


NO_EXAMPLE = """\
apiVersion: otto/v1
kind: Tombstone
spec: {site: hello, reason: not wanted in this test}
"""


@dataclass
class Home:
    """One OTTO_HOME and the controller over it.

    Attributes:
        home: OTTO_HOME, a short path because sockets live in it.
        work: the pusher's clone.
    """

    home: Path
    work: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def make(cls, **settings: str) -> Self:
        base = Path(tempfile.mkdtemp(prefix="otto-t."))
        return cls(base / "home", base / "work", settings)

    def environment(self) -> dict[str, str]:
        passed = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OTTO_", "CLOWD_", "ANSIBLE_", "GIT_"))
        }
        own = {
            "OTTO_HOME": str(self.home),
            "OTTO_LOOP_INTERVAL": "8",
            "OTTO_LOOP_BACKOFFBASE": "1",
            "OTTO_LOOP_BACKOFFCAP": "5",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "A Pusher",
            "GIT_AUTHOR_EMAIL": "pusher@localhost",
            "GIT_COMMITTER_NAME": "A Pusher",
            "GIT_COMMITTER_EMAIL": "pusher@localhost",
        }
        return passed | own | {"OTTO_API_PORT": self.settings.get("OTTO_API_PORT", "0")} | self.settings

    def otto(self, *arguments: str, status: int | None = 0, seconds: float = 300, typed: str = "") -> str:
        """Run a command; what it printed. Its exit status has to be the given one (None: any).

        `typed` is what somebody types on being asked.
        """
        done = subprocess.run(
            [*OTTO, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            input=typed,
            check=False,
        )
        told = f"otto {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert status is None or done.returncode == status, told
        return done.stdout + done.stderr

    def begun(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command that goes on."""
        return subprocess.Popen(
            [*OTTO, *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def json(self, *arguments: str, status: int | None = 0, seconds: float = 60) -> Json:
        done = subprocess.run(
            [*OTTO, *arguments, "--json"],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        found: Json = json.loads(done.stdout)
        return found

    def start(self) -> None:
        """Start the controller and wait until its socket answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home.parent / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                # Named on the command line as well, so that whoever cleans up finds the process.
                [*OTTO, "--home", str(self.home), "up", "--plain"],
                env=self.environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        eventually("the controller's socket", (self.home / "control.sock").exists, 60)

    def told(self) -> str:
        return (self.home.parent / "up.log").read_text(errors="replace")

    def stop(self) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(90)
        self.process = None
        return status

    def kill(self, *, group: bool = False) -> None:
        """Kill -9, alone or with its whole process group."""
        assert self.process is not None
        if group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait(10)
        self.process = None

    def site(self, name: str) -> Json | None:
        sites = [site for site in self.json("status")["sites"] if site["name"] == name]
        return sites[0] if sites else None

    def peek(self, name: str) -> SiteStatus | None:
        """A site's status straight from the store: cheap enough to poll."""

        async def read() -> SiteStatus | None:
            async with open_store(self.home / "otto.db", SystemClock()) as store:
                return await store.status(name)

        return asyncio.run(read())

    def peek_runs(self, name: str) -> tuple[Run, ...]:
        """A site's last runs straight from the store, newest first."""

        async def read() -> tuple[Run, ...]:
            async with open_store(self.home / "otto.db", SystemClock()) as store:
                return await store.runs(name, 20)

        return asyncio.run(read())

    def metrics(self, name: str, **labels: str) -> dict[tuple[str, ...], float]:
        """Samples of a name that carry these labels, by the values of all their labels.

        The home needs a port that is known: the setting `OTTO_API_PORT`.
        """
        _, _, text = fetch(f"http://127.0.0.1:{self.settings['OTTO_API_PORT']}", path="/metrics")
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        }

    def metric(self, name: str, **labels: str) -> float:
        """The sum of those samples; it is an error when there is none."""
        found = self.metrics(name, **labels)
        assert found, f"no metric {name} {labels}"
        return sum(found.values())

    def wait_for(self, what: str, name: str, holds: Callable[[SiteStatus], bool], seconds: float) -> Json:
        """Wait until a site's status is as said; the site as `otto status --json` shows it."""

        def look() -> bool:
            status = self.peek(name)
            return status is not None and holds(status)

        try:
            eventually(f"{name} {what}", look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.site(name)}\n{self.told()[-3000:]}") from None
        site = self.site(name)
        assert site is not None
        return site

    def ready(self, name: str, commit: str = "", seconds: float = READY) -> Json:
        """Wait until a site is Ready, at a commit if one is given."""

        def holds(status: SiteStatus) -> bool:
            settled = status.ready and status.phase is Phase.READY
            return settled and (not commit or status.commit == commit)

        return self.wait_for("Ready", name, holds, seconds)

    def phase(self, name: str, phase: Phase, seconds: float = 60) -> Json:
        """Wait until a site is in a phase."""
        return self.wait_for(phase.value, name, lambda status: status.phase is phase, seconds)

    def runs(self, name: str) -> list[Json]:
        """Runs, newest first."""
        found: list[Json] = self.json("history", name, "--limit", "200")["runs"]
        return found

    def git(self, *arguments: str, status: int | None = 0) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.work,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def clone(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        self.git("clone", "-q", str(self.home / "specs.git"), ".")

    def write(self, path: str, text: str) -> None:
        target = self.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        target = self.work / path
        text = target.read_text()
        assert old in text, f"{path} does not hold {old!r}"
        target.write_text(text.replace(old, new))

    def push(self, message: str, *, status: int = 0) -> tuple[str, str]:
        """Commit everything and push; the commit, and what the pusher was shown."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        shown = self.git("push", "-q", "origin", "HEAD:main", status=status)
        return self.git("rev-parse", "HEAD").strip(), shown

    def empty(self) -> None:
        """Begin with no site at all. The example site may be in the making already: it is taken down."""
        self.git("rm", "-q", "-r", "--ignore-unmatch", "specs", "sites")
        self.write("specs/example.yaml", NO_EXAMPLE)
        self.push("Nothing to begin with")
        eventually("no site", lambda: not self.json("status")["sites"] and not self.containers(), 60)

    @property
    def owner(self) -> str:
        return (self.home / "owner").read_text().strip()

    def containers(self) -> dict[str, Json]:
        """What the engine has of ours: host -> id and when it was started."""
        listed = subprocess.run(
            ["podman", "ps", "-a", "--filter", f"label=otto.owner={self.owner}", "--format", "json"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return {
            item["Labels"]["otto.host"]: {"id": item["Id"], "started": item["StartedAt"]}
            for item in json.loads(listed.stdout)
        }

    def remove_container(self, host: str) -> None:
        """Take a host away behind OttO's back."""
        name = f"otto-{self.owner}-{host}"
        subprocess.run(["podman", "rm", "-f", "-t", "0", name], check=True, capture_output=True, timeout=60)

    def leftovers(self) -> list[str]:
        """Everything of ours that is still on the machine."""
        owner = self.owner
        found = list(self.containers())
        networks = subprocess.run(
            ["podman", "network", "ls", "-q", "--filter", f"label=otto.owner={owner}"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        found += networks.stdout.split()
        processes = subprocess.run(
            ["pgrep", "-af", str(self.home)], capture_output=True, text=True, check=False, timeout=10
        )
        return found + [line for line in processes.stdout.splitlines() if "pgrep" not in line]

    def close(self) -> None:
        """Take everything down, whatever state the test left it in."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
            if (self.home / "owner").exists():
                self.otto("destroy", "--all", "--yes", status=None)
                left = eventually_empty(self.leftovers)
                assert not left, f"left on the machine: {left}"
        finally:
            shutil.rmtree(self.home.parent, ignore_errors=True)


def eventually_empty(look: Callable[[], list[str]], seconds: float = 20) -> list[str]:
    end = time.monotonic() + seconds
    while (left := look()) and time.monotonic() < end:
        time.sleep(_POLL)
    return left


def fetch(url: str, host: str = "", path: str = "") -> tuple[int, dict[str, str], str]:
    """GET as a visitor: status, headers in lower case, body."""
    request = urllib.request.Request(url.rstrip("/") + (path or "/"), headers={"Host": host} if host else {})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, _lower(answer.headers.items()), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, _lower(error.headers.items()), error.read().decode()


def ask(
    method: str, url: str, body: object = None, token: str = "", **headers: str
) -> tuple[int, dict[str, str], Json]:
    """Ask the API: status, headers in lower case, body."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    told |= {"Authorization": f"Bearer {token}"} if token else {}
    told |= {"Content-Type": "application/json"} if body is not None else {}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, told, method=method)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=READY) as answer:
            return answer.status, _lower(answer.headers.items()), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _lower(error.headers.items()), json.load(error)


def _lower(items: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in items}


def steps_of(run: Json) -> list[str]:
    return [step["kind"] for step in run["steps"]]


def step(run: Json, kind: str) -> Json:
    return next(item for item in run["steps"] if item["kind"] == kind)


SPEC = """apiVersion: otto/v1
kind: Site
metadata:
  name: {name}
spec:
  provider: lab
  web:
    count: {web}
  balancer:
    count: 1
    algorithm: {algorithm}
  domains: [{domains}]
  content:
    path: sites/{content}
  checks:
    - path: /
      contains: {contains}
"""


def site_spec(
    name: str,
    *,
    web: int = 1,
    algorithm: str = "roundrobin",
    domains: str = "",
    content: str = "small",
    contains: str = "small site",
    more: str = "",
) -> str:
    domains = domains or f"{name}.test"
    text = SPEC.format(
        name=name, web=web, algorithm=algorithm, domains=domains, content=content, contains=contains
    )
    return text + more
