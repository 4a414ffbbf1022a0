"""In the controller's own image the machine is outside: what it has to lend, and how to have it lend that."""

import dataclasses
from pathlib import Path

from otto.cli.doctor import engine as engines
from otto.cli.doctor.check import Check, State, good, judge
from otto.cli.doctor.machine import Outside
from otto.config import Settings
from otto.lab.kernel import INSTANCES

# The Dockerfile puts it there.
ENTRYPOINT = Path("/usr/local/lib/otto/entrypoint")
SOCKETS = (Path("/run/podman/podman.sock"), Path("/var/run/docker.sock"))
_INTERFACES = Path("/sys/class/net")
_ANEW = "build the image anew: infra/container/build"
# Nothing can be installed inside, and much is the machine's: by the names of the checks.
_MENDS = {
    "Python": _ANEW,
    "Python packages": _ANEW,
    "Terraform": "mount the program as /opt/terraform/terraform, or build with it: infra/container/build",
    "Ansible": _ANEW,
    "git": _ANEW,
    "SSH client": _ANEW,
    "OTTO_HOME": "give the volume /var/lib/otto to the user it runs as, or to group 0 and --user UID:0",
    "Disk space": "make room on the machine, where the volume of /var/lib/otto lies",
    "Clock": "set the machine's clock: timedatectl set-ntp true",
    "Lab base image": "on the machine, in a checkout: infra/lab/build-base",
    "inotify instances": f"on the machine, as root: sysctl -w fs.inotify.max_user_instances={INSTANCES}",
}


def inside(outside: Outside) -> bool:
    """Whether this is the controller's own image."""
    return outside.exists(ENTRYPOINT)


def told(check: Check) -> Check:
    """A check with the mend that helps in the image."""
    if check.state is State.OK:
        return check
    return dataclasses.replace(check, mend=_MENDS.get(check.name, check.mend))


def engine(outside: Outside, settings: Settings) -> Check:
    """The machine's engine, by its socket: there is none inside that could be started."""
    url, complaint = outside.engine(settings.home / "lab", settings.lab.socket)
    needed = "the machine's engine, whose socket answers"
    if url:
        return good("Container engine", f"answers at {url}", needed)
    barred = [str(path) for path in SOCKETS if outside.exists(path)]
    if complaint or not barred:
        mend = f"mount its socket: --volume {SOCKETS[0]}:{settings.lab.socket or SOCKETS[0]}"
        return Check("Container engine", State.FAIL, complaint or "none", needed, mend)
    found = f"{barred[0]} is there, but user {outside.user()} may not use it, or nobody answers"
    mend = "run with --group-add GROUP, the socket's group if that may write to it, or with --user 0:0"
    return Check("Container engine", State.FAIL, found, needed, mend)


def network(outside: Outside, _settings: Settings) -> Check:
    """The machine's own network: the lab's bridges, and ports published on its loopback, are there."""
    mine = [path for path in outside.children(_INTERFACES) if path.name != "lo" and _whole(outside, path)]
    return judge(
        "Machine's network",
        ok=bool(mine),
        found="this is it" if mine else "a network of the container's own",
        needed="the machine's own network, where the lab's hosts are",
        mend="run with --network host",
        or_else=State.WARN,
    )


def routes(outside: Outside, settings: Settings) -> Check:
    """See the engine's check; only the machine's root can add the route."""
    check = engines.routes(outside, settings)
    if check.state is not State.WARN:
        return check
    return dataclasses.replace(
        check, mend=f"on the machine, as root: ip route add unreachable {settings.lab.pool} metric 4000"
    )


def _whole(outside: Outside, interface: Path) -> bool:
    """Whether an interface is more than one end of a pair whose other end is elsewhere."""
    index, link = (outside.read(interface / name) for name in ("ifindex", "iflink"))
    return index is not None and index == link
