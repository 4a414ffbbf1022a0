"""What is alive under an owner's labels, in one request and without Terraform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from otto.lab import cgroups, containers, names
from otto.lab.api import Api
from otto.lab.containers import Network
from otto.lab.sizes import size_of
from otto.model.host import HostState, LiveHost

_STATES = {
    "running": HostState.RUNNING,
    "paused": HostState.PAUSED,
    "exited": HostState.STOPPED,
    "created": HostState.STOPPED,
    "dead": HostState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host's container as the engine lists it.

    Attributes:
        id: the container's.
        container: its name.
        name: the host's name.
        site: whose it is.
        owner: whose site that is.
        role: web or balancer.
        address: the one fixed when it was made.
        state: running, paused, exited, created or dead.
        image: id of its image.
        started_at: when it was last started; None where the engine's listing does not tell.
        size: the one it has as far as the kernel tells, else the one it was made with; "" of hosts that an
            older OttO made.
    """

    id: str
    container: str
    name: str
    site: str
    owner: str
    role: str
    address: str
    state: str
    image: str
    started_at: datetime | None = None
    size: str = ""

    def live(self) -> LiveHost:
        """The same in the model's terms."""
        return LiveHost(
            id=self.id,
            name=self.name,
            site=self.site,
            role=self.role,
            state=_STATES.get(self.state, HostState.UNKNOWN),
            address=self.address,
            started_at=self.started_at,
            size=self.size,
            image=self.image,
        )


def live_hosts(api: Api, owner: str, site: str | None = None) -> tuple[LabHost, ...]:
    """Hosts of an owner in any state, of one site or all, sorted by name. One request.

    Raises:
        TransientError: the engine does not answer.
    """
    labels = {names.OWNER: owner, names.HOST: ""} | ({names.SITE: site} if site else {})
    found = (_host(item) for item in api.list_containers(labels))
    return tuple(sorted(found, key=lambda host: (host.site, host.name, host.id)))


def networks(api: Api, owner: str, site: str | None = None) -> tuple[Network, ...]:
    """Networks of an owner, of one site or all, sorted by name. One request.

    Raises:
        TransientError: the engine does not answer.
    """
    labels = {names.OWNER: owner} | ({names.SITE: site} if site else {})
    return tuple(sorted(api.list_networks(labels), key=lambda network: network.name))


def _host(listed: Mapping[str, Any]) -> LabHost:
    labels: Mapping[str, str] = listed.get("Labels") or {}
    whose = names.ownership(labels)
    started = listed.get("StartedAt") or 0
    return LabHost(
        id=listed["Id"],
        container=(listed.get("Names") or [""])[0].lstrip("/"),
        name=whose.host,
        site=whose.site,
        owner=whose.owner,
        role=whose.role,
        address=labels.get(names.ADDRESS, ""),
        state=containers.normal_state(listed.get("State") or ""),
        image=containers.image_id(listed.get("ImageID") or ""),
        started_at=datetime.fromtimestamp(started, UTC) if started > 0 else None,
        size=_size(listed.get("Pid") or 0, listed["Id"], labels),
    )


def _size(pid: int, container: str, labels: Mapping[str, str]) -> str:
    """A running host may have been resized since it got its labels, which the listing does not tell."""
    held = cgroups.limits(pid, container) if pid else None
    return size_of(held) if held else labels.get(names.SIZE, "")
