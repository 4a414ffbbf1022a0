"""The controller's image, built once from the lab's base image, and what runs it."""

import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from otto import resources
from otto.adapters.identity import identity
from otto.lab.names import OWNER
from otto.lab.service import Service

ROOT = resources.root()
# Kept, with the layers it was built from, by whoever has it before the tests: podman tag localhost/otto this.
NAME = "localhost/otto:test"
TITLE = "label=org.opencontainers.image.title=OttO"
# A proxy's password, as a machine may have one in apt's settings; for a host that nobody asks.
PASSWORD = "otto-test-5f1d0c2b"
APT = f'Acquire::http::Proxy::nowhere.invalid "http://ada:{PASSWORD}@proxy.invalid:3128";\n'


def environment(**more: str) -> dict[str, str]:
    """Ours without what steers OttO, and Podman's settings."""
    passed = {name: value for name, value in os.environ.items() if not name.startswith(("OTTO_", "CLOWD_"))}
    return passed | {"CONTAINERS_CONF": str(ROOT / "infra" / "lab" / "containers.conf")} | more


def run(
    *command: str | Path, seconds: float = 120, check: bool = True, more: Mapping[str, str] | None = None
) -> str:
    """Run a command; what it printed on standard output, and on both when it may fail."""
    done = subprocess.run(
        command,
        env=environment(**more or {}),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    told = f"{command} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert not check or done.returncode == 0, told
    return done.stdout.strip() if check else done.stdout + done.stderr


def podman(*arguments: str | Path, seconds: float = 120, check: bool = True) -> str:
    return run("podman", *arguments, seconds=seconds, check=check)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str, host: str = "localhost") -> tuple[int, str]:
    """Status and body; 0 where nobody answers."""
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310  (http, on this machine)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def eventually(what: str, holds: Callable[[], bool], seconds: float, told: Callable[[], str] = str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}\n{told()}"
        time.sleep(0.1)


def untagged() -> set[str]:
    """Layers of builds, ours by their label, that no name keeps."""
    return set(podman("images", "-q", "--no-trunc", "--filter", "dangling=true", "--filter", TITLE).split())


@pytest.fixture(scope="session")
def apt_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What apt is told on the machine that builds, a password in it."""
    path = tmp_path_factory.mktemp("apt") / "apt.conf"
    path.write_text(APT)
    return path


@pytest.fixture(scope="session")
def image(apt_settings: Path) -> Iterator[str]:
    """The image; removed at the end with all its layers, unless it was there before."""
    keep = bool(podman("images", "-q", NAME))
    before = untagged()
    base = run("bash", ROOT / "infra" / "lab" / "build-base", "--tag")
    build = ROOT / "infra" / "container" / "build"
    try:
        more = {"APT_CONFIG": str(apt_settings)}
        assert run(build, "--base", base, "--tag", NAME, seconds=280, more=more) == NAME
        yield NAME
    finally:
        if not keep:
            podman("rmi", NAME, check=False)
            # What another build goes on with is refused.
            if layers := untagged() - before:
                podman("rmi", *layers, check=False)


@dataclass
class Controller:
    """A container of the image, and its volume."""

    image: str
    owner: str
    name: str = field(default_factory=lambda: f"otto-test-{secrets.token_hex(4)}")
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str, settings: Mapping[str, str]) -> None:
        """Start it as docs/how-to/container.md says, with nothing but the volume to write to."""
        if not podman("volume", "ls", "--quiet", "--filter", f"name={self.name}"):
            # By its label CI finds what a run left that was cut off, and whose home is in it.
            podman("volume", "create", "--label", f"otto.test={tempfile.gettempdir()}", self.name)
        given = {"OTTO_API_PORT": str(self.port), **settings}
        podman(
            *(
                "run",
                "--detach",
                "--name",
                self.name,
                "--network",
                "host",
                "--label",
                f"{OWNER}={self.owner}",
            ),
            *("--read-only", "--read-only-tmpfs=false", "--volume", f"{self.name}:/var/lib/otto"),
            *(word for name, value in given.items() for word in ("--env", f"{name}={value}")),
            *options,
            self.image,
        )

    def healthy(self) -> bool:
        return fetch(f"{self.url}/healthz") == (200, '{"status":"ok"}')

    def otto(self, *arguments: str, check: bool = True) -> str:
        return podman("exec", self.name, "otto", *arguments, check=check)

    def logs(self) -> str:
        return podman("logs", "--tail", "40", self.name, check=False)

    def exit_status(self) -> int:
        return int(podman("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def remove(self) -> None:
        podman("rm", "--force", "--time", "30", "--ignore", self.name, check=False)
        podman("volume", "rm", "--force", self.name, check=False)


@pytest.fixture(scope="session")
def owner(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The mark of our containers, as a home has it, so that CI finds what a run left that was cut off."""
    return identity(tmp_path_factory.mktemp("marked")).owner


@pytest.fixture
def controller(image: str, owner: str) -> Iterator[Controller]:
    """One that is not started yet."""
    made = Controller(image, owner)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def engine_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Podman service whose socket root's group may use, as Debian's podman.socket has it."""
    service = Service(tmp_path_factory.mktemp("engine"))
    service.ensure()
    service.socket.chmod(0o660)
    yield service.socket
    service.stop()
