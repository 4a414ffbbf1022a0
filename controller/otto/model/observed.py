"""What was seen of one site, layer by layer, each with the time it was seen.

A layer that could not be seen is `Unseen`, with the reason: unknown, never "fine".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from otto.model.desired import Desired
from otto.model.host import Endpoint, Host, HostFacts, LiveHost
from otto.model.infrastructure import ResourceChange
from otto.model.spec import Provider, Role

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """A value and when it was seen."""

    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why a layer is unknown, and since when."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InfrastructureState:
    """What Terraform's state holds for the site. `controllers` are our addresses as hosts see them."""

    hosts: tuple[Host, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    controllers: tuple[str, ...] = ()

    def of(self, role: Role) -> tuple[Host, ...]:
        """The hosts of one role, by name."""
        return tuple(sorted((h for h in self.hosts if h.role is role), key=lambda h: h.name))

    def named(self, name: str) -> Host | None:
        """The host of that name, if the state has it."""
        return next((host for host in self.hosts if host.name == name), None)


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """One failing check: the request, what was expected, what came.

    Attributes:
        check: name of the check (`revision`, `spread`, `statistics`, or the check's path).
        target: host or endpoint asked.
        request: the request as a person would repeat it.
        expected: what should have come.
        received: what came, shortened and safe to print.
        host: the host that answered or should have, "" when it was asked through the balancer.
        server: the web server a balancer's statistics speak of.
    """

    check: str
    target: str
    request: str
    expected: str
    received: str
    host: str = ""
    server: str = ""

    def __str__(self) -> str:
        where = f"{self.target}, of {self.server}" if self.server else self.target
        return f"{self.check} on {where}: {self.request}: expected {self.expected}, got {self.received}"


@dataclass(frozen=True, slots=True)
class Serving:
    """The outcome of one round of probes.

    Attributes:
        failures: every check that did not hold; empty means the site serves as desired.
        checks: how many checks were made.
        revision: content revision that was asked for.
    """

    failures: tuple[CheckFailure, ...]
    checks: int
    revision: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What OttO itself put in place last, from its store.

    Attributes:
        infrastructure: digest of the inputs of the last complete apply.
        sizes: sizes of hosts (as the spec wrote them) of that apply, by role.
        hosts: facts each host gave right after its last complete configure or deploy step: what its
            digests should be from then on.
        verified: desired digest of the last verification that passed.
        desired: the wish that was last put in place as a whole and seen to hold.
        born: when the site's first complete apply ended, None before.
        previous: the wish that was verified before `desired`, None where there was none.
    """

    infrastructure: str = ""
    sizes: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, HostFacts] = field(default_factory=dict)
    verified: str = ""
    desired: Desired | None = None
    born: datetime | None = None
    previous: Desired | None = None

    @property
    def provider(self) -> Provider | None:
        """Where the site's hosts were made, whatever its newest spec says; None before the first."""
        return self.desired.spec.provider if self.desired and self.infrastructure else None

    def without_hosts_but(self, names: frozenset[str]) -> "Applied":
        """A copy that forgets hosts which are gone."""
        return replace(self, hosts={name: facts for name, facts in self.hosts.items() if name in names})


Facts = Mapping[str, Seen[HostFacts] | Unseen]


@dataclass(frozen=True, slots=True)
class Silence:
    """A host that its provider calls running, and that answers neither HTTP nor SSH.

    Attributes:
        since: when it was first found silent.
        looks: in how many looks in a row.
        confirmed: whether those are as many as the settings ask for.
    """

    since: datetime
    looks: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything seen of one site.

    Attributes:
        infrastructure: Terraform's state.
        inventory: what the provider has.
        facts: what each host says of itself.
        serving: one round of probes.
        applied: what OttO itself put in place last.
        silent: hosts that answer nothing, by name.
        refreshed: what Terraform last found changed outside of it, until it is planned away.
    """

    infrastructure: Seen[InfrastructureState] | Unseen
    inventory: Seen[tuple[LiveHost, ...]] | Unseen
    facts: Facts
    serving: Seen[Serving] | Unseen
    applied: Applied = Applied()
    silent: Mapping[str, Silence] = field(default_factory=dict)
    refreshed: tuple[ResourceChange, ...] = ()

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Hosts of the state, none while it is unknown."""
        return self.infrastructure.value.hosts if isinstance(self.infrastructure, Seen) else ()
