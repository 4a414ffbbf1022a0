"""What the guard remembers: what people said, what was taken away, what is being spent, what runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from otto.model.plan import ActionKind

# Who it was, when OttO itself did something that is on record.
OTTO = "otto"


class GrantKind(StrEnum):
    """What somebody said beside the specs, and what holds until it ends or is taken back."""

    APPROVE = "approve"  # this very plan may be carried out
    REJECT = "reject"  # this very plan may not
    FREEZE = "freeze"  # nothing is taken away: of one site, or of any
    OVERRIDE = "override"  # windows do not count for this site, nor do waves
    EXTEND = "extend"  # a site's life is longer
    PAUSE = "pause"  # nothing further of a rollout is done
    QUARANTINE = "quarantine"  # this very wish is not put in place


@dataclass(frozen=True, slots=True)
class Grant:
    """Something that somebody said.

    Attributes:
        kind: what.
        site: which site; "" for all.
        by: who.
        at: when.
        until: when it ends by itself, None for never; of EXTEND: the new end of the site's life.
        reason: why, in their words.
        plan: digest of the plan it speaks of, "" for none; of QUARANTINE: digest of the wish.
        origin: `source` of a freeze that OttO set itself since desired state collapsed, else "".
        held: of such a freeze: the sites that vanished, and keep their last good specs.
    """

    kind: GrantKind
    site: str
    by: str
    at: datetime
    until: datetime | None = None
    reason: str = ""
    plan: str = ""
    origin: str = ""
    held: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names it: the same person saying the same again replaces what they said before."""
        who = self.by if self.kind is GrantKind.APPROVE else ""
        return f"{self.kind.value}/{self.site}/{self.plan}/{who}/{self.origin}"

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Removal:
    """A host that was taken away or made anew, and how much that weighed."""

    site: str
    host: str
    kind: ActionKind
    at: datetime
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Charge:
    """From `at` on, a site costs so much an hour, until its next charge; None where nobody knows."""

    site: str
    at: datetime
    hourly: float | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What is spent, in the currency of the price tables.

    Attributes:
        spent: of the site, since the month began.
        hourly: what the site costs now.
        fleet_spent: of all sites, since the month began.
        fleet_hourly: what all sites cost now.
        hours_left: hours until the month ends.
        currency: the currency.
        unknown: sites whose cost nobody knew at some time of the month; it counts as nothing.
    """

    spent: float = 0.0
    hourly: float = 0.0
    fleet_spent: float = 0.0
    fleet_hourly: float = 0.0
    hours_left: float = 730.0
    currency: str = "EUR"
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """As whom, and where, a provider would act."""

    id: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class Heal:
    """A repair that succeeded, and the paths of what it repaired."""

    at: datetime
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetSize:
    """The hosts of all sites, and those of other sites that are being changed right now."""

    hosts: int = 0
    changing: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a site stands in the order in which a shared change reaches sites.

    Attributes:
        change: what is new, in words; empty when nothing that sites share is.
        waits: sites that have to have it first, and do not yet.
        stopped: sites before this one that failed with it.
        wave: the site's wave, from 1 on.
        waves: how many there are.
        mends: whether what breaks of the site meanwhile can be mended without the change.
    """

    change: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    wave: int = 1
    waves: int = 1
    mends: bool = True

    def __bool__(self) -> bool:
        """Whether the site may go."""
        return not self.waits and not self.stopped


@dataclass(frozen=True, slots=True)
class History:
    """Everything the guard takes into account besides the plan and the policy.

    Attributes:
        grants: what people said that concerns this site or all, ended ones included.
        removals: what was taken away within the longest window, of all sites.
        protected: whether the last applied spec protects the site.
        provider: where the site's hosts live by the last applied spec, "" before the first.
        heals: when the site was repaired, within the last hour.
        culprits: what kept changing it, in words, as far as is known.
        spending: what is spent; None where it is not known.
        fleet: how many hosts there are.
        turn: whether it is the site's turn to get what many sites share.
        account: as whom the provider would act; None where it does not say.
        providers: the providers that may be touched.
    """

    grants: tuple[Grant, ...] = ()
    removals: tuple[Removal, ...] = ()
    protected: bool = False
    provider: str = ""
    heals: tuple[Heal, ...] = ()
    culprits: tuple[str, ...] = ()
    spending: Spending | None = None
    fleet: FleetSize = FleetSize()
    turn: Turn = Turn()
    account: Account | None = None
    providers: frozenset[str] = frozenset({"lab"})

    def grants_of(self, kind: GrantKind, now: datetime) -> tuple[Grant, ...]:
        """Those of a kind that have not ended."""
        return tuple(grant for grant in self.grants if grant.kind is kind and grant.holds(now))


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something for the audit record.

    Attributes:
        at: when.
        who: a person's name, or `otto`.
        what: `verdict`, `approve`, `reject`, `freeze`, `thaw`, `override`, `extend`, `destroy`, `reap`, ….
        site: which site, "" for all.
        plan: digest of the plan concerned, "" for none.
        summary: the plan, or the thing done, in a line.
        reason: why, in the words of whoever did it, or of the rules.
        detail: more, as plain text by name.
    """

    at: datetime
    who: str
    what: str
    site: str = ""
    plan: str = ""
    summary: str = ""
    reason: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry of the audit record, in its place in the chain.

    Attributes:
        number: its place, from 1 on, without gaps.
        entry: what was recorded.
        before: hash of the record before it, "" for the first.
        hash: hash of `number`, `entry` and `before`; see `otto.decide.audit`.
    """

    number: int
    entry: AuditEntry
    before: str
    hash: str
