"""Hosts: as Terraform's state knows them, as the provider sees them, as they describe themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from otto.model.spec import Role


@dataclass(frozen=True, slots=True)
class Host:
    """A host that OttO made, from the outputs of its Terraform module.

    `address` is the one the controller uses; `private_address` the one hosts use among
    themselves. `image` is the id of the image it was made from, `size` as the spec calls it; each is ""
    where its module does not tell.
    """

    name: str
    role: Role
    id: str
    address: str
    private_address: str
    ssh_port: int
    ssh_user: str
    http_port: int
    host_key: str
    image: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where visitors reach a site."""

    address: str
    port: int
    url: str


class HostState(StrEnum):
    """What a provider says of a host."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LiveHost:
    """A host as its provider lists it, found by the labels OttO puts on all it makes.

    `size` and `image` (an id) are "" where the provider does not tell, `provider` where nobody said which one
    lists it.
    """

    id: str
    name: str
    site: str
    role: str
    state: HostState
    address: str = ""
    started_at: datetime | None = None
    size: str = ""
    provider: str = ""
    image: str = ""


class HostEventKind(StrEnum):
    """What happened to a host, as its provider tells it."""

    STARTED = "started"
    RESUMED = "resumed"
    DIED = "died"
    PAUSED = "paused"
    REMOVED = "removed"

    @property
    def is_loss(self) -> bool:
        """Whether the host serves nobody from then on."""
        return self in (HostEventKind.DIED, HostEventKind.PAUSED, HostEventKind.REMOVED)


@dataclass(frozen=True, slots=True)
class HostEvent:
    """Something a provider told of a host under our labels, when it happened.

    Events hasten a look; they prove nothing, and none of them is sure to come.
    """

    site: str
    host: str
    id: str
    kind: HostEventKind
    at: datetime


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says of itself (`facts.d/otto.fact`, schema 1).

    Attributes:
        fact: digest of the fact script itself.
        files: managed file -> digest, None when missing.
        services: unit -> systemd's active state.
        configuration: digest the last complete configure run left behind, None before the first.
        revision: content revision served now, None before the first deployment.
        content: digest of the files of that revision as they are on disk.
        backends: on a balancer, server -> status from haproxy's statistics.
    """

    fact: str
    files: Mapping[str, str | None] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    configuration: str | None = None
    revision: str | None = None
    content: str | None = None
    backends: Mapping[str, str] = field(default_factory=dict)
