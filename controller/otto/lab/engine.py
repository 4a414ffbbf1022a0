"""Which container engine the lab uses: the one named, one that runs, or a Podman of our own."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from otto.lab.ping import answers
from otto.lab.service import Service
from otto.model.errors import TransientError, UsageError


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine that answers.

    Attributes:
        url: `unix://…` or `tcp://…`.
        ours: whether it is the Podman service this lab started.
        started: whether it was started just now.
    """

    url: str
    ours: bool = False
    started: bool = False

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, as far as its address tells."""
        return self.url.startswith("unix://")


def find(folder: Path, setting: str = "", environ: Mapping[str, str] = os.environ) -> Engine | None:
    """The engine in use, None when none answers. Nothing is started.

    Args:
        folder: `OTTO_HOME/lab`.
        setting: `lab.socket`: a path or URL that alone counts; "" looks around.
        environ: where `DOCKER_HOST` is looked up.

    Raises:
        UsageError: the setting, or `DOCKER_HOST`, names something that is no socket.
        TransientError: the engine it names does not answer.
    """
    for name, value in (("lab.socket", setting), ("DOCKER_HOST", environ.get("DOCKER_HOST", ""))):
        if value:
            return Engine(_named(name, value))
    own = Service(folder, environ)
    if answers(own.url):  # whatever else has come up since: our hosts are there
        return Engine(own.url, ours=True)
    return next((Engine(url) for url in _usual(environ) if answers(url)), None)


def ensure(folder: Path, setting: str = "", environ: Mapping[str, str] = os.environ) -> Engine:
    """The engine in use; a Podman service of our own is started when no other answers.

    Takes the arguments of `find`, and raises its errors.

    Raises:
        TerminalError: there is no engine and no Podman to start.
        TransientError: Podman's service does not come up.
    """
    found = find(folder, setting, environ)
    if found:
        return found
    own = Service(folder, environ)
    started = own.ensure()
    return Engine(own.url, ours=True, started=started)


def stop(folder: Path, environ: Mapping[str, str] = os.environ) -> bool:
    """End our own Podman service, if it runs; whether it did. Containers go on."""
    return Service(folder, environ).stop()


def _named(name: str, value: str) -> str:
    url = f"unix://{value}" if value.startswith("/") else value
    if not url.startswith(("unix:///", "tcp://")):
        raise UsageError(
            f"{name} is {value!r}: no path of a socket", mend="as unix:///run/podman/podman.sock"
        )
    if not answers(url):
        raise TransientError(
            f"no container engine answers at {url}, which {name} names",
            mend=f"start that engine, or leave {name} empty to have one found or started",
        )
    return url


def _usual(environ: Mapping[str, str]) -> Iterator[str]:
    yield "unix:///run/podman/podman.sock"
    yield "unix:///var/run/docker.sock"
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield f"unix://{runtime}/podman/podman.sock"
        yield f"unix://{runtime}/docker.sock"
