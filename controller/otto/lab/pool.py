"""The route that keeps what is sent to a vanished host on this machine.

The engine removes a network's bridge with its last container. From then on the machine would send packets
for that subnet by its default route. An unreachable route over the whole pool, worse than any bridge's own,
answers them at once instead.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from otto.lab.containers import Network
from otto.lab.names import OWNER

METRIC = 4000  # worse than the 0 of a bridge's own route and what DHCP clients and VPNs use
_TIMEOUT = 10.0

Ip = Callable[[Sequence[str]], tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Route:
    """The pool's route; `warning` tells when it is missing and stays so."""

    pool: str
    present: bool
    changed: bool = False
    warning: str = ""


def run_ip(arguments: Sequence[str]) -> tuple[bool, str]:
    """Run `ip`; whether it succeeded, and what it said."""
    command = ["ip", *arguments]
    environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, (done.stdout if done.returncode == 0 else done.stderr).strip()


def look(pool: IPv4Network, ip: Ip = run_ip) -> Route:
    """The route as it is."""
    done, said = ip(["-json", "route", "show", "type", "unreachable", "exact", str(pool)])
    present = done and bool(json.loads(said or "[]"))
    return Route(str(pool), present)


def ensure_route(pool: IPv4Network, ip: Ip = run_ip) -> Route:
    """Add the route unless it is there."""
    if look(pool, ip).present:
        return Route(str(pool), present=True)
    done, said = ip(["route", "replace", "unreachable", str(pool), "metric", str(METRIC)])
    if done:
        return Route(str(pool), present=True, changed=True)
    mend = f"as root: ip route add unreachable {pool} metric {METRIC}"
    warning = f"no unreachable route over {pool}: probes of a vanished host may leave this machine ({mend})"
    return Route(str(pool), present=False, warning=f"{warning}: {said}")


def remove_route(pool: IPv4Network, networks: Iterable[Network], ip: Ip = run_ip) -> Route:
    """Remove the route unless a lab on this machine still has a network in the pool.

    Args:
        pool: which.
        networks: all networks of the engine, whoever's.
        ip: runs `ip`.
    """
    if not look(pool, ip).present:
        return Route(str(pool), present=False)
    if used_by(pool, networks) or _bridged(pool, ip):
        return Route(str(pool), present=True)
    done, said = ip(["route", "del", "unreachable", str(pool), "metric", str(METRIC)])
    if done:
        return Route(str(pool), present=False, changed=True)
    mend = f"as root: ip route del unreachable {pool}"
    return Route(str(pool), present=True, warning=f"could not remove the route over {pool}: {said} ({mend})")


def used_by(pool: IPv4Network, networks: Iterable[Network]) -> tuple[str, ...]:
    """Owners that have networks in the pool."""
    owners = {
        network.labels[OWNER]
        for network in networks
        if OWNER in network.labels and any(subnet.overlaps(pool) for subnet in network.subnets)
    }
    return tuple(sorted(owners))


def _bridged(pool: IPv4Network, ip: Ip) -> bool:
    """Whether some interface still lies in the pool: another engine's, which we do not talk to."""
    done, said = ip(["-json", "route", "show", "root", str(pool)])
    routes: list[dict[str, Any]] = json.loads(said or "[]") if done else []
    return any(route.get("type") != "unreachable" for route in routes)
