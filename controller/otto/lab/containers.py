"""Containers, networks and images as values, parsed from what an engine tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from otto.lab.allocation import subnets
from otto.lab.sizes import CPU_PERIOD, Limits

# Docker's states and Podman's, told in one language.
_STATES = {
    "configured": "created",
    "initialized": "created",
    "restarting": "running",
    "stopped": "exited",
    "stopping": "exited",
    "removing": "dead",
}
_NANO = 1_000_000_000
UNLIMITED = Limits(0.0, 0)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A container's place in a network; address and MAC are "" while it does not run."""

    network: str
    address: str
    mac: str


@dataclass(frozen=True, slots=True)
class Container:
    """A container.

    Attributes:
        id: the engine's id.
        name: its name, without Docker's leading slash.
        image: id of its image, with the algorithm ("sha256:…").
        state: running, paused, exited, created or dead.
        pid: its first process; 0 when it does not run.
        limits: as the engine remembers them.
        labels: its labels and its image's.
        attachments: its networks.
        ports: port inside -> port of the machine.
        started_at: when it was last started.
    """

    id: str
    name: str
    image: str
    state: str
    pid: int = 0
    limits: Limits = UNLIMITED
    labels: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A container network; `members` are the names of the containers in it."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[IPv4Network, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image."""

    id: str
    references: tuple[str, ...] = ()
    size: int = 0


def container(inspected: Mapping[str, Any]) -> Container:
    """A container from `GET /containers/ID/json`."""
    state, config, host = inspected["State"], inspected["Config"], inspected["HostConfig"]
    return Container(
        id=inspected["Id"],
        name=inspected["Name"].lstrip("/"),
        image=image_id(inspected["Image"]),
        state=normal_state(state["Status"]),
        pid=state.get("Pid") or 0,
        limits=_limits(host),
        labels=config.get("Labels") or {},
        attachments=attachments(inspected["NetworkSettings"]),
        ports=_ports(host.get("PortBindings") or {}),
        started_at=moment(state.get("StartedAt", "")),
    )


def network(listed: Mapping[str, Any]) -> Network:
    """A network from `GET /networks` or `GET /networks/NAME`."""
    ipam = (listed.get("IPAM") or {}).get("Config") or ()
    members = (listed.get("Containers") or {}).values()
    return Network(
        id=listed["Id"],
        name=listed["Name"],
        labels=listed.get("Labels") or {},
        subnets=subnets(entry.get("Subnet", "") for entry in ipam),
        members=tuple(sorted(member.get("Name", "") for member in members)),
    )


def image(inspected: Mapping[str, Any]) -> Image:
    """An image from `GET /images/NAME/json`."""
    references = tuple(inspected.get("RepoTags") or ())
    return Image(image_id(inspected["Id"]), references, inspected.get("Size") or 0)


def attachments(settings: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Networks of a container, from its listing or its inspection."""
    networks: Mapping[str, Any] = settings.get("Networks") or {}
    return tuple(
        Attachment(name, place.get("IPAddress") or "", place.get("MacAddress") or "")
        for name, place in sorted(networks.items())
    )


def normal_state(state: str) -> str:
    """One of running, paused, exited, created and dead, whatever the engine calls it."""
    lower = state.lower()
    return _STATES.get(lower, lower)


def image_id(text: str) -> str:
    """An image's id with its algorithm, which Podman leaves out here and there."""
    return text if not text or ":" in text else f"sha256:{text}"


def moment(text: str) -> datetime | None:
    """A moment in RFC 3339 with nanoseconds; None for Go's zero time."""
    whole, _, rest = text.partition(".")
    zoned = whole.removesuffix("Z") + ("+00:00" if text.endswith("Z") else _offset(rest))
    try:
        parsed = datetime.fromisoformat(zoned)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.year > 1 else None


def _offset(rest: str) -> str:
    return rest.lstrip("0123456789")


def _limits(host: Mapping[str, Any]) -> Limits:
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or CPU_PERIOD
    nano = host.get("NanoCpus") or 0
    cpus = quota / period if quota > 0 else nano / _NANO
    return Limits(cpus, host.get("Memory") or 0)


def _ports(bindings: Mapping[str, Sequence[Mapping[str, str]] | None]) -> dict[int, int]:
    found = {}
    for inside, outside in bindings.items():
        if outside and outside[0].get("HostPort", "").isdigit():
            found[int(inside.partition("/")[0])] = int(outside[0]["HostPort"])
    return found
