"""What the infrastructure port is asked for and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otto.model.canonical import digest
from otto.model.spec import HostGroup, Provider


@dataclass(frozen=True, slots=True)
class InfrastructureInputs:
    """Everything a Terraform module is given for one site; image names are resolved to ids.

    `replace` names hosts that are to be made anew whatever the state says of them: they are proven dead.
    `pinned` are hosts that stay on another image for now: host -> id of that image; `sizes` hosts that keep
    another size: host -> that size.
    """

    site: str
    provider: Provider
    web: HostGroup
    balancer: HostGroup
    replace: tuple[str, ...] = ()
    pinned: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adoptable:
    """Something alive under the site's and our labels, wanted by its spec, and missing from its state.

    Attributes:
        address: the address in the state it would get.
        id: the provider's id.
        name: the provider's name.
        host: the host's name, "" when it is no host.
    """

    address: str
    id: str
    name: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource Terraform means to change, in canonical form, values out.

    Attributes:
        address: the resource's address.
        type: its type (`lab_host`, …).
        verbs: Terraform's actions: ("create",), ("update",), ("delete",), ("delete", "create"), ….
        changed: names of attributes whose value changes, sorted; never their values.
        replace_for: names of the attributes that force a replacement, sorted.
        reason: Terraform's `action_reason`, "" when it gives none.
        host: the host's name, "" when the resource is no host.
        importing: whether an existing resource is taken into the state.
        drifted: whether the change answers something that changed outside Terraform.
    """

    address: str
    type: str
    verbs: tuple[str, ...]
    changed: tuple[str, ...] = ()
    replace_for: tuple[str, ...] = ()
    reason: str = ""
    host: str = ""
    importing: bool = False
    drifted: bool = False


@dataclass(frozen=True, slots=True)
class InfrastructurePlan:
    """A Terraform plan that can be applied as it is.

    Attributes:
        site: whose.
        changes: canonical changes, sorted by address, no-ops left out.
        handle: where the adapter keeps the plan file; it goes stale and holds secrets, so it is
            never shown nor stored.
    """

    site: str
    changes: tuple[ResourceChange, ...]
    handle: str

    @property
    def digest(self) -> str:
        """Names the changes."""
        return digest(self.changes)

    def __bool__(self) -> bool:
        return bool(self.changes)
