"""When a site ends: by its time to live, at a time, or by what the fleet says of its labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from otto.model.duration import in_words
from otto.model.history import Grant, GrantKind
from otto.model.policy import FleetPolicy, LabelDefault
from otto.model.spec import SiteSpec


class Ending(StrEnum):
    """Where a site's end comes from."""

    TTL = "ttl"  # the spec's time to live
    UNTIL = "until"  # the spec's end time
    LABEL = "label"  # the fleet's default for its labels
    EXTENDED = "extended"  # somebody moved it


@dataclass(frozen=True, slots=True)
class Expiry:
    """The end of a site.

    Attributes:
        at: when.
        source: where it comes from.
        why: the same in words, for people.
        by: who moved it, "" when nobody did.
    """

    at: datetime
    source: Ending
    why: str
    by: str = ""


def may_end(spec: SiteSpec, fleet: FleetPolicy) -> bool:
    """Whether a site has an end at all, whenever it was born."""
    return spec.policy.ttl is not None or spec.policy.until is not None or _default(spec, fleet) is not None


def expiry(
    spec: SiteSpec,
    fleet: FleetPolicy,
    born: datetime | None,
    grants: Iterable[Grant],
    now: datetime,
) -> Expiry | None:
    """When a site ends, None when it does not.

    What the spec says goes before what its labels say. `otto extend` moves the end, and only to later.

    Args:
        spec: the site.
        fleet: the fleet's policy.
        born: when the site was first there; None while it is not, and then no time to live runs.
        grants: what people said; those that extend this site count, up to `now`.
        now: the time.
    """
    end = _own(spec, fleet, born)
    if end is None:
        return None
    extended = [grant for grant in grants if _extends(grant, spec.name, end.at, now)]
    last = max(extended, key=lambda grant: (grant.until or grant.at, grant.at), default=None)
    if last is None or last.until is None:
        return end
    why = f"{end.why}; moved to {_shown(last.until)} by {last.by}"
    return Expiry(last.until, Ending.EXTENDED, f"{why}: {last.reason}" if last.reason else why, last.by)


def due_warnings(end: Expiry, fleet: FleetPolicy, now: datetime) -> tuple[float, ...]:
    """Which of the fleet's warnings of an end have come, in seconds before it, the nearest to it last.

    A caller tells each once, the smallest being the one to tell of now. When the site's time is over there is
    nothing left to warn of.
    """
    left = (end.at - now).total_seconds()
    return tuple(sorted((ahead for ahead in set(fleet.ttl_warnings) if 0 < left <= ahead), reverse=True))


def _own(spec: SiteSpec, fleet: FleetPolicy, born: datetime | None) -> Expiry | None:
    policy, default = spec.policy, _default(spec, fleet)
    if policy.until is not None:
        return Expiry(policy.until, Ending.UNTIL, f"policy.until: {_shown(policy.until)}")
    if born is None:
        return None
    if policy.ttl is not None:
        why = f"policy.ttl: {in_words(policy.ttl)} since {_shown(born)}"
        return Expiry(born + timedelta(seconds=policy.ttl), Ending.TTL, why)
    if default is None or default.ttl is None:
        return None
    labels = ", ".join(f"{name}: {value}" for name, value in sorted(default.match.items()))
    why = f"the fleet's ttl of {in_words(default.ttl)} for {labels}, since {_shown(born)}"
    return Expiry(born + timedelta(seconds=default.ttl), Ending.LABEL, why)


def _default(spec: SiteSpec, fleet: FleetPolicy) -> LabelDefault | None:
    """The first of the fleet's defaults that fits and names an end."""
    fitting = (
        default
        for default in fleet.labels
        if default.ttl is not None
        and all(spec.labels.get(name) == value for name, value in default.match.items())
    )
    return next(fitting, None)


def _extends(grant: Grant, site: str, end: datetime, now: datetime) -> bool:
    if grant.kind is not GrantKind.EXTEND or grant.site != site or grant.at > now:
        return False
    return grant.until is not None and grant.until > end


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
