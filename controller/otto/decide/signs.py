"""Differences as signs: by which tier they were seen, and in which words people are told."""

from collections.abc import Iterable
from datetime import datetime

from otto.model.difference import Cause, Difference, Layer
from otto.model.sign import Sign, Tier

Key = tuple[str, str]


def key(difference: Difference) -> Key:
    """Names a difference so that two looks can be compared: the same place, for the same reason."""
    return (difference.path, difference.cause.value)


def keys(differences: Iterable[Difference]) -> frozenset[Key]:
    """The keys of differences."""
    return frozenset(key(difference) for difference in differences)


def fresh(differences: Iterable[Difference], known: frozenset[Key]) -> tuple[Difference, ...]:
    """Those that were not known before."""
    return tuple(difference for difference in differences if key(difference) not in known)


def tier_of(difference: Difference) -> Tier:
    """The tier that sees such a difference."""
    if difference.cause is Cause.SPEC:
        return Tier.SOURCE
    if difference.layer is Layer.DNS:
        return Tier.DNS
    aspect = difference.path.rpartition("/")[2]
    if difference.layer is Layer.INFRASTRUCTURE:
        named = {"presence": Tier.STATE, "reachable": Tier.PROBE}
        by_terraform = difference.path.startswith("resources/")
        return Tier.REFRESH if by_terraform else named.get(aspect, Tier.INVENTORY)
    if "/backends/" in difference.path or "/servers/" in difference.path or aspect == "statistics":
        return Tier.STATISTICS
    return Tier.PROBE if difference.layer is Layer.SERVING else Tier.FACTS


def sign(difference: Difference, at: datetime, tier: Tier | None = None) -> Sign:
    """A difference as a sign.

    Args:
        difference: what was seen.
        at: when.
        tier: by what; as `tier_of` says when it is not given.
    """
    host = difference.host
    where = difference.path.removeprefix(f"hosts/{host}/") if host else difference.path
    words = f"{where}: want {difference.want}, have {difference.have}"
    return Sign(tier or tier_of(difference), words, at, host)


def told(signs: Iterable[Sign], differences: Iterable[Difference], at: datetime) -> tuple[Sign, ...]:
    """All that is known of what made a site due: the signs noted before, and what the look itself saw."""
    noted = tuple(signs)
    known = {item.key for item in noted}
    seen = (sign(difference, at) for difference in differences)
    return (*noted, *(item for item in seen if item.key not in known))


def seen_as(difference: Difference) -> dict[str, str]:
    """A difference as plain data for the record."""
    return {
        "layer": difference.layer.value,
        "path": difference.path,
        "want": difference.want,
        "have": difference.have,
        "cause": difference.cause.value,
        "tier": tier_of(difference).value,
    }
