"""Whether desired state collapsed: too much of it went in one step to be what somebody meant."""

from collections.abc import Mapping
from dataclasses import dataclass

from otto.decide.wording import counted
from otto.model.policy import Collapse
from otto.model.spec import Role, SiteSpec

# One site that goes, or shrinks, is somebody's word about that site, however few there are.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Collapsed:
    """What went.

    Attributes:
        reason: in words, with the figures.
        vanished: names of the sites without a spec now, sorted.
    """

    reason: str
    vanished: tuple[str, ...]


def collapsed(
    before: Mapping[str, SiteSpec], after: Mapping[str, SiteSpec], buried: frozenset[str], limits: Collapse
) -> Collapsed | None:
    """What went, if it is more than the limits allow.

    Args:
        before: specs in force until now.
        after: specs in force by the new commit, those of sites whose newest spec is bad included.
        buried: sites that a tombstone says are to go: those were meant.
        limits: how much may go.
    """
    vanished = tuple(sorted(before.keys() - after.keys() - buried))
    if _is_over(len(vanished), len(before), limits):
        reason = f"{counted(len(vanished), 'spec')} of {len(before)} vanished in one step"
        return Collapsed(f"{reason} ({_allowed(limits)})", vanished)
    shrunk = {
        name: _hosts(before[name]) - _hosts(after[name])
        for name in before.keys() & after.keys()
        if _hosts(after[name]) < _hosts(before[name])
    }
    total, lost = sum(map(_hosts, before.values())), sum(shrunk.values())
    if len(shrunk) >= _LEAST and lost > limits.count and lost > limits.share * total:
        sites = counted(len(shrunk), "site")
        reason = f"{sites} lost {lost} of {total} wanted hosts in one step"
        return Collapsed(f"{reason} ({_allowed(limits)} if that is more)", ())
    return None


def _is_over(count: int, total: int, limits: Collapse) -> bool:
    return count >= _LEAST and (count > limits.count or count > limits.share * total)


def _allowed(limits: Collapse) -> str:
    return f"allowed: {limits.count}, or {limits.share:.0%}"


def _hosts(spec: SiteSpec) -> int:
    return sum(spec.group(role).count for role in Role)
