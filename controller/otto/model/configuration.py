"""What the configuration port is asked for and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath

from otto.model.host import Host
from otto.model.plan import StepKind
from otto.model.spec import Algorithm


@dataclass(frozen=True, slots=True)
class ConfigurationRequest:
    """One targeted play over hosts of one site.

    Attributes:
        site: whose.
        kind: CONFIGURE (roles base, nginx, haproxy) or DEPLOY (content alone).
        hosts: the hosts to touch; no other host is contacted.
        backends: the web servers a balancer spreads over.
        balancers: whose word web servers take for who the visitor is.
        domains: virtual hosts, the first one answers for unknown names.
        algorithm: how the balancer picks a server.
        controllers: our addresses as the hosts see them.
        digests: host -> configuration digest, left on the host when the play is complete.
        revision: content revision (DEPLOY).
        archive: tar of the content's files (DEPLOY).
        roles: host -> the roles to run on it (CONFIGURE); a host that is not in it gets all of its own.
            A host that gets only some is not marked as completely configured.
        repair: lay the files of this revision anew although the host already has it (DEPLOY).
    """

    site: str
    kind: StepKind
    hosts: tuple[Host, ...]
    backends: tuple[Host, ...] = ()
    balancers: tuple[Host, ...] = ()
    domains: tuple[str, ...] = ()
    algorithm: Algorithm = Algorithm.ROUNDROBIN
    controllers: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    archive: PurePath | None = None
    repair: bool = False
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class HostOutcome(StrEnum):
    """How one host came out of a play."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed-out"


@dataclass(frozen=True, slots=True)
class HostResult:
    """What a play did to one host; `task` and `message` say why where it failed, secrets removed."""

    host: str
    outcome: HostOutcome
    changed: int = 0
    task: str = ""
    message: str = ""

    @property
    def good(self) -> bool:
        """Whether the host is as the play wants it."""
        return self.outcome in (HostOutcome.OK, HostOutcome.CHANGED)


@dataclass(frozen=True, slots=True)
class ConfigurationResult:
    """What a play did, host by host."""

    hosts: tuple[HostResult, ...]

    @property
    def failed(self) -> tuple[HostResult, ...]:
        """Hosts that are not as the play wants them."""
        return tuple(result for result in self.hosts if not result.good)

    @property
    def changed(self) -> int:
        """Tasks that changed something, over all hosts."""
        return sum(result.changed for result in self.hosts)
