"""What runs the lab's hosts: a container engine and what it needs of the kernel."""

import ipaddress
import json
import re
from pathlib import Path
from typing import Any

from otto import resources
from otto.cli.doctor.check import Check, State, good, judge
from otto.cli.doctor.machine import Outside
from otto.cli.doctor.tools import SET_UP
from otto.config import Settings
from otto.lab.kernel import INSTANCES

FILES, PROCESSES = 20000, 4096  # the default_ulimits of infra/lab/containers.conf
HELPERS = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman")
CONTROLLERS = ("cpu", "memory", "pids")


def engine(outside: Outside, settings: Settings) -> Check:
    """An engine whose socket answers, or a Podman to start."""
    needed = "an engine that answers, or Podman to start"
    url, complaint = outside.engine(settings.home / "lab", settings.lab.socket)
    if complaint:
        return Check(
            "Container engine", State.FAIL, complaint, needed, "start it, or name no engine in settings"
        )
    if url:
        return good("Container engine", f"answers at {url}", needed)
    version = outside.run("podman", "--version")
    if version:
        return good("Container engine", f"{version.strip()}, started when needed", needed)
    mend = f"apt-get install podman (or start your Docker engine); {SET_UP}"
    return Check("Container engine", State.FAIL, "none", needed, mend)


def runtime(outside: Outside, _settings: Settings) -> Check:
    """Runc, which starts containers on every kind of cgroups."""
    found = (outside.run("runc", "--version") or "").partition("\n")[0]
    return _podmans(outside, "Container runtime", found, "runc", "runc")


def network(outside: Outside, _settings: Settings) -> Check:
    """Netavark and its name server."""
    pair = ("netavark", "aardvark-dns")
    there = [name for name in pair if any(outside.exists(Path(place) / name) for place in HELPERS)]
    found = " and ".join(there) if len(there) == len(pair) else ""
    return _podmans(outside, "Container network", found, " and ".join(pair), " ".join(pair))


def base_image(outside: Outside, settings: Settings) -> Check:
    """The lab's base image, as the checkout describes it now."""
    tag = (outside.run("bash", str(resources.path("infra", "lab", "build-base")), "--tag") or "").strip()
    url, _ = outside.engine(settings.home / "lab", settings.lab.socket)
    there = bool(tag) and (outside.image(url, tag) if url else _podman_has(outside, tag))
    return judge(
        "Lab base image",
        ok=there,
        found=tag if there else "not built",
        needed="built once, about half a minute",
        mend="make run builds it (or infra/lab/build-base)",
        or_else=State.WARN,
    )


def cgroups(outside: Outside, _settings: Settings) -> Check:
    """Controllers for the limits of hosts, in version 2 or the older kind."""
    base = Path("/sys/fs/cgroup")
    unified = outside.read(base / "cgroup.controllers")
    have = unified.split() if unified else [name for name in CONTROLLERS if outside.exists(base / name)]
    missing = [name for name in CONTROLLERS if name not in have]
    return judge(
        "Control groups",
        ok=not missing,
        found=f"{'v2' if unified else 'v1'}: {' '.join(have) or 'no controllers'}",
        needed=" ".join(CONTROLLERS),
        mend=f"boot with the controllers {' '.join(missing)} on, and give them to us if this is a container",
    )


def inotify(outside: Outside, _settings: Settings) -> Check:
    """Each host takes several of the kernel's inotify instances."""
    text = outside.read(Path("/proc/sys/fs/inotify/max_user_instances")) or ""
    found = int(text) if text.strip().isdigit() else 0
    return judge(
        "inotify instances",
        ok=found >= INSTANCES,
        found=str(found),
        needed=f"{INSTANCES} (30 hosts)",
        mend=f"sysctl -w fs.inotify.max_user_instances={INSTANCES} (the lab does so itself when root)",
        or_else=State.WARN,
    )


def limits(outside: Outside, _settings: Settings) -> Check:
    """Hosts get these limits, and only a process with CAP_SYS_RESOURCE may exceed its own."""
    files, processes = outside.hard_limit("nofile"), outside.hard_limit("nproc")
    return judge(
        "Resource limits",
        ok=_may(outside, 24) or (files >= FILES and processes >= PROCESSES),
        found=f"{files} files, {processes} processes",
        needed=f"{FILES} files, {PROCESSES} processes",
        mend=f"raise the hard limits: ulimit -Hn {FILES}; ulimit -Hu {PROCESSES} (or the unit's LimitNOFILE)",
    )


def privileges(outside: Outside, settings: Settings) -> Check:
    """Bridges need CAP_NET_ADMIN; without it hosts are reached by published ports."""
    able = outside.user() == 0 and _may(outside, 12)
    return judge(
        "Bridge networks",
        ok=able or settings.lab.publish,
        found="root with CAP_NET_ADMIN" if able else "not root, or without CAP_NET_ADMIN",
        needed="root with CAP_NET_ADMIN, or published ports",
        mend="export OTTO_LAB_PUBLISH=true, so that hosts are reached by ports on loopback",
        or_else=State.WARN,
    )


def firewall(outside: Outside, _settings: Settings) -> Check:
    """Container networks write address translation rules."""
    needed = "a NAT table (iptables)"
    if outside.user() != 0:
        return good("Firewall tables", "not looked at: not root", needed)
    there = outside.run("iptables", "-t", "nat", "-S") is not None
    return judge(
        "Firewall tables",
        ok=there,
        found="NAT table" if there else "no NAT table",
        needed=needed,
        mend="apt-get install iptables; load the kernel's modules nf_tables and nft_chain_nat",
    )


def routes(outside: Outside, settings: Settings) -> Check:
    """The lab's pool must be nobody else's, and hosts that vanish must not lead out of the machine."""
    pool = ipaddress.ip_network(settings.lab.pool, strict=False)
    needed = f"{pool} for the lab alone, unreachable where no host is"
    inside = [item for item in _routes(outside) if _overlaps(item, pool)]
    closed = [item for item in inside if item.get("type") == "unreachable"]
    foreign = [item for item in inside if item not in closed and not _is_bridge(str(item.get("dev", "")))]
    if foreign:
        found = ", ".join(f"{item['dst']} by {item.get('dev', '?')}" for item in foreign)
        mend = "give the lab another pool: export OTTO_LAB_POOL=10.204.0.0/16"
        return Check("Lab subnets", State.FAIL, found, needed, mend)
    if inside and not closed:
        mend = f"otto lab up (or: ip route add unreachable {pool} metric 4000)"
        return Check("Lab subnets", State.WARN, "the lab is up without its unreachable route", needed, mend)
    return good("Lab subnets", "free, its route is there" if closed else "free", needed)


def _podman_has(outside: Outside, tag: str) -> bool:
    tool = "podman" if outside.which("podman") else "docker"
    return outside.run(tool, "image", "inspect", "--format", "ok", tag) is not None


def _podmans(outside: Outside, name: str, found: str, needed: str, package: str) -> Check:
    """A part that only Podman needs."""
    if not found and not outside.which("podman"):
        return good(name, "not needed without Podman", needed)
    mend = f"apt-get install {package}; {SET_UP}"
    return judge(name, ok=bool(found), found=found or "missing", needed=needed, mend=mend)


def _may(outside: Outside, capability: int) -> bool:
    """Whether we have a capability, by its number in <linux/capability.h>."""
    match = re.search(r"^CapEff:\s*([0-9a-f]+)", outside.read(Path("/proc/self/status")) or "", re.MULTILINE)
    return bool(match and int(match.group(1), 16) >> capability & 1)


def _routes(outside: Outside) -> list[dict[str, Any]]:
    text = outside.run("ip", "-json", "route", "show", "table", "main")
    return [item for item in json.loads(text or "[]") if item.get("dst") != "default"]


def _overlaps(item: dict[str, Any], pool: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether a route lies in the pool; a wider one is overruled by the lab's more specific ones."""
    try:
        target = ipaddress.ip_network(item["dst"], strict=False)
    except ValueError:
        return False
    wider = target.prefixlen < pool.prefixlen
    return target.version == pool.version and not wider and target.overlaps(pool)


def _is_bridge(device: str) -> bool:
    return device.startswith(("podman", "cni-", "br-", "docker"))
