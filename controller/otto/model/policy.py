"""What OttO may do by itself: the policy of a site, as its spec says it, and that of the fleet.

Lengths of time are seconds, shares are between 0 and 1, money is in the currency of the price tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from otto.model.signature import Signatures
from otto.model.strategy import FleetRollout

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be taken away from one site before a person is asked, whatever its approval says.

    Attributes:
        count: weight of the hosts one plan may destroy, replace or scale in.
        share: the same as a share of the site's hosts.
        repair_count: hosts one plan may make anew because they are dead.
        window: seconds within which plans count together.
        window_count: weight that all plans of a window together may take away, repairs included.
        reason: why they are not the default ones; a changed limit has to have one.
    """

    count: float = 3.0
    share: float = 0.5
    repair_count: int = 10
    window: float = HOUR
    window_count: float = 12.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A time that comes again, in which changes are allowed or denied.

    Attributes:
        allow: whether changes are allowed in it, or denied.
        cron: when it begins, in cron's five fields.
        lasts: how long it is open, in seconds.
        timezone: IANA name of the time zone that `cron` is read in.
    """

    allow: bool
    cron: str
    lasts: float
    timezone: str = "UTC"


class Overrun(StrEnum):
    """What happens to a run that is still at work when its window closes."""

    FINISH = "finish"
    HOLD = "hold"  # at the next boundary between two steps


@dataclass(frozen=True, slots=True)
class Windows:
    """When changes may be made. Repairs go on at any time, unless `repairs` says that they wait as well."""

    windows: tuple[Window, ...] = ()
    overrun: Overrun = Overrun.FINISH
    repairs: bool = False


class Handling(StrEnum):
    """What is done about drift."""

    REPAIR = "repair"
    REPORT = "report"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A difference that is left alone for a while.

    Attributes:
        path: the difference's path; `*` stands for any text (as in shells).
        reason: why.
        until: when the rule ends.
    """

    path: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """What is done about differences that the spec did not cause.

    Attributes:
        layers: layer -> how it is handled; `repair` where it is not named.
        ignore: differences that are left alone.
        confirmations: looks in a row that have to see a difference before it is repaired.
        heals: repairs of the same thing within an hour, after which the site counts as flapping and is
            not repaired before the hour is over; 0 for no limit.
    """

    layers: Mapping[str, Handling] = field(default_factory=dict)
    ignore: tuple[Ignored, ...] = ()
    confirmations: int = 1
    heals: int = 6


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in a calendar month (UTC): over it an apply is refused, at `warn` of it told."""

    monthly: float
    warn: float = 0.8


@dataclass(frozen=True, slots=True)
class RecordShares:
    """Of a zone: shares of its managed record sets that one plan may change, and may remove, unasked."""

    update: float = 0.3
    delete: float = 0.3


@dataclass(frozen=True, slots=True)
class Policy:
    """What OttO may do to one site, or to one zone, by itself.

    Attributes:
        approval: `auto`, `destructive` (default) or `always`.
        approvers: how many different people have to approve a plan.
        approval_expiry: seconds an approval holds.
        protect: whether destroying and replacing are out of the question.
        ttl: seconds after which the site is taken down, None for never.
        until: the time at which it is taken down, None for never.
        limits: the blast radius; None for the fleet's.
        windows: when changes may be made.
        budget: what it may cost, None for no limit of its own.
        drift: what is done about drift.
        records: of a zone: how much of it one plan may change.
    """

    approval: str = "destructive"
    approvers: int = 1
    approval_expiry: float = DAY
    protect: bool = False
    ttl: float | None = None
    until: datetime | None = None
    limits: Limits | None = None
    windows: Windows = field(default_factory=Windows)
    budget: Budget | None = None
    drift: DriftPolicy = field(default_factory=DriftPolicy)
    records: RecordShares = RecordShares()


@dataclass(frozen=True, slots=True)
class LabelDefault:
    """What holds for sites with these labels that do not say it themselves."""

    match: Mapping[str, str]
    ttl: float | None = None


@dataclass(frozen=True, slots=True)
class FleetLimits:
    """How much may be taken away from, and changed in, the whole fleet.

    Attributes:
        window: seconds within which plans count together.
        count: weight of the hosts that all plans of a window may take away before a person is asked.
        share: the same as a share of the fleet's hosts; `count` and `share` have to be passed both.
        changing: share of the fleet's hosts that may be changed at once; the rest waits for its turn.
            A fleet of ten hosts or fewer goes without it.
        reason: why they are not the default ones; a changed limit has to have one.
    """

    window: float = HOUR
    count: float = 12.0
    share: float = 0.34
    changing: float = 0.5
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Collapse:
    """How far desired state may shrink in one step before all deletion is frozen.

    Specs collapse when more of them vanish than either allows, wanted hosts when more go than both allow;
    one site alone is never a collapse.

    Attributes:
        count: specs, or hosts wanted by those that stay, that may go at once.
        share: the same as a share of them all.
    """

    count: int = 3
    share: float = 0.34


@dataclass(frozen=True, slots=True)
class Place:
    """Where hosts of one provider may be made; an empty list allows all.

    Attributes:
        accounts: ids of accounts or projects.
        regions: names of regions.
        sizes: sizes as specs name them.
        resources: Terraform's types of resources.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """An executable that is asked about every plan, and can only make a verdict stricter."""

    command: tuple[str, ...]
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class FleetPolicy:
    """What the operator allows for all sites together.

    Attributes:
        limits: the fleet's blast radius.
        site_limits: the limits of sites that name none of their own.
        collapse: when desired state counts as collapsed.
        windows: change windows of all sites, beside their own.
        budget: what all sites together may cost.
        labels: defaults by label, the first that fits.
        ttl_warnings: seconds before the end of a site at which it is told.
        places: provider -> where hosts may be made.
        hook: an executable that is asked too.
        rollout: in which order a change that many sites share reaches them.
        signatures: who has to have signed what is deployed, None for nobody.
    """

    limits: FleetLimits = field(default_factory=FleetLimits)
    site_limits: Limits = field(default_factory=Limits)
    collapse: Collapse = field(default_factory=Collapse)
    windows: Windows = field(default_factory=Windows)
    budget: Budget | None = None
    labels: tuple[LabelDefault, ...] = ()
    ttl_warnings: tuple[float, ...] = (HOUR, 600.0)
    places: Mapping[str, Place] = field(default_factory=dict)
    hook: Hook | None = None
    rollout: FleetRollout = field(default_factory=FleetRollout)
    signatures: Signatures | None = None


@dataclass(frozen=True, slots=True)
class Effective:
    """The policy of a site and that of the fleet, as they hold together."""

    site: Policy = field(default_factory=Policy)
    fleet: FleetPolicy = field(default_factory=FleetPolicy)

    @property
    def limits(self) -> Limits:
        """The site's blast radius: its own, or else the fleet's for every site."""
        return self.site.limits or self.fleet.site_limits
