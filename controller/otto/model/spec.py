"""What a person wrote, validated, with defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from otto.model.inspection import Validation
from otto.model.policy import Policy
from otto.model.strategy import Rollout


class Provider(StrEnum):
    """Where a site's hosts live."""

    LAB = "lab"
    AWS = "aws"
    DIGITALOCEAN = "digitalocean"
    GCP = "gcp"
    VAGRANT = "vagrant"


class Role(StrEnum):
    """What a host does for its site."""

    WEB = "web"
    BALANCER = "balancer"


class Algorithm(StrEnum):
    """How the balancer picks a server (haproxy manual, `balance`)."""

    ROUNDROBIN = "roundrobin"
    LEASTCONN = "leastconn"
    SOURCE = "source"
    FIRST = "first"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class HostGroup:
    """The hosts of one role: how many, how big, from which image."""

    count: int
    size: str
    image: str


@dataclass(frozen=True, slots=True)
class Content:
    """Where the site's files come from: a path in the spec repository, or another repository.

    Exactly one of `path` alone and `git` is set; with `git`, `path` names a folder inside it. `validate` says
    what is made of pages and links that are broken.
    """

    path: str = ""
    git: str = ""
    ref: str = ""
    validate: Validation = Validation.WARN

    @property
    def place(self) -> tuple[str, str, str]:
        """Where the files are, whatever is made of them."""
        return (self.path, self.git, self.ref)


@dataclass(frozen=True, slots=True)
class Check:
    """One request that has to be answered as described for the site to count as serving.

    Attributes:
        path: absolute path, with query if any.
        status: expected HTTP status.
        contains: text the body has to contain; "" asks for nothing.
        headers: header name -> expected value (exact), names compared without case.
        timeout: seconds one request may take.
    """

    path: str
    status: int = 200
    contains: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """A site as its spec describes it. `file` and `line` say where; they are no part of the wish."""

    name: str
    provider: Provider
    web: HostGroup
    balancer: HostGroup
    algorithm: Algorithm
    content: Content
    labels: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    policy: Policy = field(default_factory=Policy)
    rollout: Rollout = field(default_factory=Rollout)
    depends_on: tuple[str, ...] = ()
    suspend: bool = False
    file: str = ""
    line: int = 0

    def group(self, role: Role) -> HostGroup:
        """The hosts wanted for a role."""
        return self.web if role is Role.WEB else self.balancer

    def host_names(self, role: Role) -> tuple[str, ...]:
        """Names of the hosts wanted for a role, in order."""
        return tuple(f"{self.name}-{role.value}-{n}" for n in range(1, self.group(role).count + 1))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A committed wish that a site be taken down.

    Attributes:
        site: which.
        reason: why, in words.
        by: who wrote it, in words, "" where they did not say.
        at: the site goes at this time; None for at once.
        file: where it stands.
        line: the line it begins on.
    """

    site: str
    reason: str
    by: str = ""
    at: datetime | None = None
    file: str = ""
    line: int = 0
