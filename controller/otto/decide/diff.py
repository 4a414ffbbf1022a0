"""What differs between desired and observed, layer by layer. Equal gives nothing; order never matters."""

from collections.abc import Iterable

from otto.decide.hostdiff import told_by_hosts
from otto.decide.surface import infrastructure, serving
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.observed import Observed


def diff(desired: Desired, observed: Observed) -> tuple[Difference, ...]:
    """Every difference of one site, sorted by layer and path; each path once."""
    return _sorted([*surface(desired, observed), *told_by_hosts(desired, observed)])


def surface(desired: Desired, observed: Observed) -> tuple[Difference, ...]:
    """The differences that show without asking the hosts themselves."""
    return _sorted([*infrastructure(desired, observed), *serving(desired, observed)])


def depth(desired: Desired, observed: Observed) -> tuple[Difference, ...]:
    """The differences that only the hosts can tell."""
    return _sorted(told_by_hosts(desired, observed))


def _sorted(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """By layer and path. Two tiers may tell of the same; the first one said is kept."""
    unique: dict[tuple[str, str], Difference] = {}
    for difference in found:
        unique.setdefault((difference.layer.value, difference.path), difference)
    return tuple(sorted(unique.values(), key=lambda difference: difference.sort_key))
