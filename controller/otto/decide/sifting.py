"""Which differences are acted on: drift that is to be left alone, only told of, or seen once more first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from otto.decide.signs import Key, key
from otto.model.difference import UNWISHED, Cause, Difference
from otto.model.policy import DriftPolicy, Handling


@dataclass(frozen=True, slots=True)
class Sifted:
    """Differences, by what is done about them.

    Attributes:
        acted: what is to be put right.
        reported: what is only told of, as the site's policy says.
        unconfirmed: what has to be seen in more looks first.
    """

    acted: tuple[Difference, ...]
    reported: tuple[Difference, ...] = ()
    unconfirmed: tuple[Difference, ...] = ()


def standing(differences: Iterable[Difference], policy: DriftPolicy, now: datetime) -> tuple[Difference, ...]:
    """Differences without those that an ignore rule, not yet ended, leaves alone; a changed wish counts."""
    rules = [rule.path for rule in policy.ignore if now < rule.until]
    return tuple(
        item
        for item in differences
        if item.cause is Cause.SPEC or not any(fnmatchcase(item.path, path) for path in rules)
    )


def sift(differences: Iterable[Difference], policy: DriftPolicy, looks: Mapping[Key, int]) -> Sifted:
    """Sort differences by what is done about them.

    Args:
        differences: what stands.
        policy: what the site says of drift.
        looks: in how many looks in a row each was seen, this one included.
    """
    found = tuple(differences)
    reported = tuple(item for item in found if _is_reported(item, policy))
    unconfirmed = tuple(
        item
        for item in found
        if item not in reported and item.cause in UNWISHED and looks.get(key(item), 1) < policy.confirmations
    )
    left = {*reported, *unconfirmed}
    return Sifted(tuple(item for item in found if item not in left), reported, unconfirmed)


def to_act_on(
    differences: Iterable[Difference], policy: DriftPolicy, now: datetime
) -> tuple[Difference, ...]:
    """What a run that has begun acts on: all but what is left alone, or only told of."""
    found = standing(differences, policy, now)
    return tuple(item for item in found if not _is_reported(item, policy))


def _is_reported(difference: Difference, policy: DriftPolicy) -> bool:
    handling = policy.layers.get(difference.layer.value, Handling.REPAIR)
    return difference.cause in UNWISHED and handling is Handling.REPORT
