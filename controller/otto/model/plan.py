"""Ordered steps over all layers of one site; its digest is what people approve."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from otto.model.canonical import digest
from otto.model.cost import CostChange


class ActionKind(StrEnum):
    """What happens to a resource. The guard decides by these."""

    CREATE = "create"
    UPDATE = "update"
    SCALE_IN = "scale-in"  # fewer, as the spec says
    REPAIR = "repair"  # a new host for one that is proven dead
    REPLACE = "replace"  # a living host goes and another comes
    DESTROY = "destroy"
    IMPORT = "import"  # an existing host enters the state

    @property
    def makes(self) -> bool:
        """Whether there is another resource afterwards: one that is new, or anew."""
        return self in (ActionKind.CREATE, ActionKind.REPAIR, ActionKind.REPLACE)

    @property
    def takes(self) -> bool:
        """Whether it takes something living away."""
        return self in (ActionKind.DESTROY, ActionKind.REPLACE, ActionKind.SCALE_IN)


@dataclass(frozen=True, slots=True)
class Action:
    """One canonical action on one resource, secrets out.

    Attributes:
        address: the resource's address in Terraform, or the host's name.
        kind: what happens.
        changed: names of the attributes that change, sorted.
        host: name of the host concerned, "" for other resources.
        reason: why Terraform does it, in its own terms, "" where it says nothing.
        asked: whether somebody's own words ask for it: a lower count, a tombstone, `otto destroy`, an end.
        type: the resource's type in Terraform, "" where it is none of Terraform's; of zones `record`,
            `delegation`, `dnssec` or `zone`.
    """

    address: str
    kind: ActionKind
    changed: tuple[str, ...] = ()
    host: str = ""
    reason: str = ""
    asked: bool = False
    type: str = ""


RECORD = "record"
"""Type of an action on one record set of a zone; its address is the name inside the zone and the type."""


class StepKind(StrEnum):
    """The steps of a plan, in their order."""

    DRAIN = "drain"  # visitors go, before a site is taken down
    PROVISION = "provision"
    CONFIGURE = "configure"
    DEPLOY = "deploy"
    DNS = "dns"
    VERIFY = "verify"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done, to which hosts, with which roles and files.

    Attributes:
        kind: which step.
        hosts: names of the hosts it touches, sorted; empty for the site as a whole.
        actions: infrastructure actions (provision), or changes of records (dns).
        detail: what it brings: roles, revision, checks, records before and after; sorted words for people
            and the digest.
        roles: host -> the only roles it needs (configure); a host that is not in it needs all of its own.
    """

    kind: StepKind
    hosts: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    detail: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Removing(StrEnum):
    """Who wants a site taken down."""

    NOBODY = ""
    TOMBSTONE = "tombstone"  # a commit
    PERSON = "person"  # otto destroy
    EXPIRY = "expiry"  # its time to live is over


@dataclass(frozen=True, slots=True)
class ZoneCircumstances:
    """What the plan of a zone is judged by besides; record sets by their addresses, as actions name them.

    Attributes:
        managed: how many record sets of the zone are OttO's before it.
        followed: those that change only since a site that they follow has other addresses, or leaves.
        mended: those that are put right again as they were wished before.
        taken_over: those of others that become OttO's.
    """

    managed: int = 0
    followed: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan is judged by besides its steps. It is no part of the digest.

    Attributes:
        provider: where the site's hosts are to live.
        hosts: name -> role of the hosts that there are.
        causes: why there is something to do: `spec`, `drift`, `failure`, `unknown`, `follow`,
            `asked`; sorted.
        drifted: layers in which the plan mends what the spec did not cause; sorted.
        mends: paths of the differences that the spec did not cause; sorted.
        sizes: sizes of hosts that are asked for; sorted.
        cost: what the plan does to the cost of the site, None where there is no price table.
        removing: who wants the site taken down.
        part_of: digest of the plan that this one is the rest of: it was judged, and is half carried out.
        undoing: hosts whose replacement this plan takes back.
        taking_back: whether it puts nothing in place but what was verified before.
        zone: of a zone: what more there is to judge it by; None for a site.
    """

    provider: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    cost: CostChange | None = None
    removing: Removing = Removing.NOBODY
    part_of: str = ""
    undoing: frozenset[str] = frozenset()
    taking_back: bool = False
    zone: ZoneCircumstances | None = None


@dataclass(frozen=True)
class Plan:
    """All steps for one site, in order. An empty plan means there is nothing to do."""

    site: str
    desired: str
    steps: tuple[Step, ...]
    about: Circumstances = Circumstances()

    @cached_property
    def digest(self) -> str:
        """Names what would be done. The same steps give the same digest whatever the commit."""
        return digest({"site": self.site, "steps": self.steps})

    @property
    def actions(self) -> tuple[Action, ...]:
        """Infrastructure actions of all steps."""
        return tuple(action for step in self.steps for action in step.actions)

    @property
    def partly(self) -> frozenset[str]:
        """Hosts of which only some roles are run."""
        step = self.step(StepKind.CONFIGURE)
        return frozenset(step.roles) if step else frozenset()

    def priced(self, cost: CostChange) -> "Plan":
        """This plan, with what it does to the cost of its site."""
        return replace(self, about=replace(self.about, cost=cost))

    def step(self, kind: StepKind) -> Step | None:
        """The step of that kind, if the plan has it."""
        return next((step for step in self.steps if step.kind is kind), None)

    def __bool__(self) -> bool:
        return bool(self.steps)
