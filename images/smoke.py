"""Says, as one JSON object, whether a host made of an image works: what was asked, if it held, what came.

The builder sends it to `python3 -IS -` as root, with a call of `main` behind it, on a host that just booted
and is thrown away afterwards: it lays a page to be served. It uses the standard library alone.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS = 20
LONGEST = 400
# A controller comes up in some seconds; Prometheus asks every 15.
START = 40
KEY = Path("/var/lib/otto/keys/id_ed25519")
# Its lab imports an image, makes three hosts, and configures them.
LAB = 120
READY = "/api/v1/query?query=otto_site_ready%7Bsite%3D%22hello%22%7D"
# machine-id(5)
ID_LENGTH = 32
RELEASE = Path("/srv/otto/releases/smoke")
CURRENT = Path("/srv/otto/current")
PAGE = "<!doctype html><title>smoke</title><p>It works."
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

Found = tuple[str, bool, str]
Try = Callable[[], str]


class FailedError(Exception):
    """What was asked did not hold; the message says what came."""


def run(*command: str) -> str:
    """What a command says; FailedError when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedError(str(error)) from error
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode:
        raise FailedError(f"exit status {done.returncode}: {said}")
    return said


def booted() -> str:
    """The system has booted, and nothing failed."""
    try:
        return run("systemctl", "is-system-running", "--wait")
    except FailedError as error:
        failed = run("systemctl", "--failed", "--no-legend", "--plain").splitlines()
        raise FailedError(f"{error}; failed: {', '.join(line.split()[0] for line in failed)}") from None


def serves(unit: str) -> str:
    """A unit runs, and will after the next boot."""
    state = run("systemctl", "is-active", unit)
    return f"{state}, {run('systemctl', 'is-enabled', unit)}"


def get(
    port: int,
    path: str,
    status: int,
    holds: str = "",
    *,
    address: str = "127.0.0.1",
    host: str = "otto-check",
) -> str:
    """An answer over HTTP, with this status and text."""
    connection = http.client.HTTPConnection(address, port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read(1 << 20).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise FailedError(f"no answer: {error}") from error
    finally:
        connection.close()
    if answer.status != status:
        raise FailedError(f"status {answer.status}, expected {status}")
    if holds not in text:
        raise FailedError(f"status {answer.status}, without {holds!r}: {text[:100]}")
    return f"status {answer.status}"


def sshd() -> str:
    """The SSH server names itself and takes keys alone."""
    with socket.create_connection(("127.0.0.1", 22), timeout=SECONDS) as connection:
        banner = connection.recv(256).decode("ascii", "replace").strip()
    if not banner.startswith("SSH-2.0-"):
        raise FailedError(f"it says {banner!r}")
    settings = run("sshd", "-T").splitlines()
    wanted = ("passwordauthentication no", "permitrootlogin no")
    if lacking := [line for line in wanted if line not in settings]:
        raise FailedError(f"not set: {', '.join(lacking)}")
    return banner


def fact() -> str:
    """The host describes itself, as one that was never configured."""
    told = json.loads(run("/etc/ansible/facts.d/otto.fact"))
    if told.get("schema") != 1 or "error" in told:
        raise FailedError(json.dumps(told)[:LONGEST])
    if told.get("configuration") is not None:
        raise FailedError("it says that it was configured")
    return "schema 1, never configured"


def own_id() -> str:
    """It made an id of its own."""
    found = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    if len(found) != ID_LENGTH:
        raise FailedError(f"machine-id is {found!r}")
    return "made at this boot"


def lay_page() -> str:
    """Content as a site's, to be served."""
    (RELEASE / "site").mkdir(parents=True, exist_ok=True)
    (RELEASE / "site" / "index.html").write_text(PAGE, encoding="utf-8")
    (RELEASE / "revision").write_text("smoke", encoding="utf-8")
    CURRENT.symlink_to(RELEASE)
    return "laid"


def host() -> Iterator[tuple[str, Try]]:
    """What holds for every image."""
    yield "systemd has booted, no unit failed", booted
    yield "sshd answers, and takes keys alone", sshd
    yield "machine-id is its own", own_id
    yield "the fact answers", fact


def nginx() -> Iterator[tuple[str, Try]]:
    """A web server."""
    yield "nginx runs and is enabled", lambda: serves("nginx")
    yield "nginx -t", lambda: run("nginx", "-t", "-q") or "accepted"
    yield "GET / without content", lambda: get(80, "/", 404)
    yield "a page to serve", lay_page
    yield "GET / with content", lambda: get(80, "/", 200, PAGE)
    yield "GET /.well-known/otto-revision", lambda: get(80, "/.well-known/otto-revision", 200, "smoke")


def haproxy() -> Iterator[tuple[str, Try]]:
    """A balancer."""
    yield "haproxy runs and is enabled", lambda: serves("haproxy")
    yield "haproxy -c", lambda: run("haproxy", "-c", "-q", "-f", "/etc/haproxy/haproxy.cfg") or "accepted"
    yield "GET / without servers", lambda: get(80, "/", 503)
    yield "its statistics", lambda: get(8404, "/stats;csv", 200, "site,FRONTEND")
    yield "its metrics", lambda: get(8404, "/metrics", 200, "haproxy_frontend_status")


def alive(port: int, path: str, holds: str = "") -> str:
    """A service that just started comes to answer with 200."""
    deadline = time.monotonic() + START
    while True:
        try:
            return get(port, path, 200, holds, host="localhost")
        except FailedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def keys() -> str:
    """The controller made keys of its own, for nobody else's eyes."""
    found = KEY.stat()
    if found.st_mode & 0o077:
        raise FailedError(f"{KEY} is open to others: {found.st_mode:o}")
    return "its own"


def otto() -> Iterator[tuple[str, Try]]:
    """A controller."""
    yield "otto version", lambda: run("/opt/otto/bin/otto", "version").splitlines()[0]
    yield (
        "ansible-playbook --version",
        lambda: run("/opt/otto/bin/ansible-playbook", "--version").splitlines()[0],
    )
    yield "terraform version", lambda: run(*terraform(), "version").splitlines()[0]
    yield "git --version", lambda: run("git", "--version")
    yield "otto runs and is enabled", lambda: serves("otto")
    yield "GET /healthz", lambda: alive(7070, "/healthz")
    yield "GET /metrics", lambda: alive(7070, "/metrics", "otto_")
    yield "GET /metrics by another name", lambda: get(7070, "/metrics", 401)
    yield "its SSH key", keys


def terraform() -> list[str]:
    """Terraform, or OpenTofu, whichever came along."""
    return [str(path) for path in Path("/opt/terraform").iterdir()][:1]


def site() -> tuple[str, str, list[str]]:
    """The example site of a controller: phase, message, and the addresses where visitors reach it."""
    told = json.loads(run("/usr/local/bin/otto", "status", "hello", "--json"))
    found = told["sites"][0]
    return found["phase"], found["message"], [item["address"] for item in found["endpoints"]]


def lab() -> str:
    """The lab has made the example site's hosts, and it is Ready."""
    deadline = time.monotonic() + LAB
    while True:
        try:
            phase, message, _ = site()
        except (FailedError, LookupError) as error:
            phase, message = "no status", str(error)
        if phase == "Ready":
            return phase
        if time.monotonic() > deadline:
            raise FailedError(f"{phase}: {message}")
        time.sleep(0.5)


def visit() -> str:
    """A visitor of the example site gets its page from each of its balancers."""
    _, _, addresses = site()
    if not addresses:
        raise FailedError("it has no address")
    return ", ".join(get(80, "/", 200, "<html", address=each, host="hello.test") for each in addresses)


def clowd() -> Iterator[tuple[str, Try]]:
    """A box of clowds."""
    yield from otto()
    yield "podman --version", lambda: run("podman", "--version")
    yield "mmdebstrap --version", lambda: run("mmdebstrap", "--version")
    yield "prometheus runs and is enabled", lambda: serves("prometheus")
    yield "GET /-/ready of prometheus", lambda: alive(9090, "/-/ready")
    yield "its rules", lambda: alive(9090, "/api/v1/rules", '"name":"otto')
    yield (
        "it sees the controller",
        lambda: alive(9090, "/api/v1/query?query=up%7Bjob%3D%22otto%22%7D", '"1"]'),
    )
    yield "its lab brings the example site up", lab
    yield "GET / of the example site", visit
    yield "prometheus knows the example site", lambda: alive(9090, READY, '"1"]')


IMAGES: dict[str, Callable[[], Iterator[tuple[str, Try]]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "otto": otto,
    "clowd": clowd,
}


def tried(what: str, attempt: Try) -> Found:
    """Ask one thing."""
    try:
        return what, True, attempt()[:LONGEST]
    except (FailedError, OSError, ValueError) as error:
        return what, False, str(error)[:LONGEST]


def main(image: str) -> None:
    """Ask all there is to ask of a host of this image; every check is made, whatever came of the others."""
    os.umask(0o022)
    began = time.monotonic()
    found = [tried(what, attempt) for part in (host, IMAGES[image]) for what, attempt in part()]
    sys.stdout.write(json.dumps({"checks": found, "seconds": round(time.monotonic() - began, 2)}) + "\n")
