"""What can happen to a host behind OttO's back, done for real."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from otto import resources
from otto.lab import names

from .harness import Home

NGINX = "/etc/nginx/nginx.conf"
HAPROXY = "/etc/haproxy/haproxy.cfg"
PAGE = "/srv/otto/current/site/index.html"
_ADMIN = "/run/haproxy/admin.sock"

Harm = Callable[[Home], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a damage was done: at some time between two, in seconds since the epoch."""

    begun: float
    ended: float


class NotFrozenError(AssertionError):
    """The kernel did not get hold of all processes of a host; it runs on as before."""


def do(harm: Harm, home: Home) -> Moment:
    """Do it; when it was done.

    On a busy machine runc may give up freezing a host that goes on making processes ("unable to freeze"),
    and lets it run on; then it is asked again.
    """
    for _ in range(5):
        begun = time.time()
        try:
            harm(home)
        except NotFrozenError as error:
            refused = error
        else:
            return Moment(begun, time.time())
    raise refused


def podman(*arguments: str) -> str:
    # As the lab's own engine is started: the machine's settings may ask for more than is allowed here.
    environment = os.environ | {"CONTAINERS_CONF": str(resources.path("infra", "lab", "containers.conf"))}
    done = subprocess.run(
        ["podman", *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    told = f"podman {' '.join(arguments)}: {done.stderr}"
    if "unable to freeze" in done.stderr:
        raise NotFrozenError(told)
    assert done.returncode == 0, told
    return done.stdout


def inside(home: Home, host: str, *command: str) -> str:
    """Run a command on a host as its root, as somebody who is logged in would."""
    return podman("exec", names.container_name(home.owner, host), *command)


def kill(host: str) -> Harm:
    return lambda home: _podman("kill", "--signal", "KILL", home=home, host=host)


def remove(host: str) -> Harm:
    return lambda home: home.remove_container(host)


def pause(host: str) -> Harm:
    return lambda home: _podman("pause", home=home, host=host)


def cut(host: str, site: str) -> Harm:
    """Take a host's network away while it runs on."""
    return lambda home: _podman(
        "network", "disconnect", names.network_name(home.owner, site), home=home, host=host
    )


def stop(service: str, host: str) -> Harm:
    return lambda home: _inside(home, host, "systemctl", "stop", service)


def edit(path: str, host: str) -> Harm:
    """Add a line that changes nothing but the file."""
    return lambda home: _inside(home, host, "sh", "-c", 'echo "# by hand" >> "$0"', path)


def delete(path: str, host: str) -> Harm:
    return lambda home: _inside(home, host, "rm", path)


def disable(server: str, balancer: str) -> Harm:
    """Have haproxy send nothing to a server, by its own command."""

    def harm(home: Home) -> None:
        answer = haproxy(home, balancer, f"disable server web/{server}")
        assert not answer.strip(), answer

    return harm


def lose_state(site: str) -> Harm:
    return lambda home: (home.home / "sites" / site / "terraform.tfstate").unlink()


def haproxy(home: Home, balancer: str, command: str) -> str:
    """What haproxy says to a command on its admin socket."""
    script = (
        "import socket, sys\n"
        "link = socket.socket(socket.AF_UNIX)\n"
        "link.connect(sys.argv[1])\n"
        "link.sendall(sys.argv[2].encode() + b'\\n')\n"
        "print(link.makefile().read())\n"
    )
    return inside(home, balancer, "python3", "-c", script, _ADMIN, command)


def read(home: Home, host: str, path: str) -> str:
    """A file of a host."""
    return inside(home, host, "cat", path)


@contextmanager
def hung(home: Home, host: str) -> Iterator[None]:
    """A host that serves visitors, takes connections to its sshd, and never says a word on them."""
    inside(home, host, "pkill", "-STOP", "sshd")
    try:
        yield
    finally:
        inside(home, host, "pkill", "-CONT", "sshd")


@contextmanager
def stray(home: Home, host: str, site: str) -> Iterator[str]:
    """A container under our labels that OttO never made; its id."""
    image = podman("ps", "--filter", f"label={names.OWNER}={home.owner}", "--format", "{{.ImageID}}").split()[
        0
    ]
    labels = names.labels(names.Ownership(home.owner, site, "web", host))
    labelled = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    name = names.container_name(home.owner, host)
    made = podman(
        "run", "--detach", "--network", "none", "--name", name, *labelled, image, "sleep", "infinity"
    )
    try:
        yield made.strip()
    finally:
        podman("rm", "--force", "--ignore", "--time", "0", name)


def _podman(*arguments: str, home: Home, host: str) -> None:
    podman(*arguments, names.container_name(home.owner, host))


def _inside(home: Home, host: str, *command: str) -> None:
    inside(home, host, *command)
