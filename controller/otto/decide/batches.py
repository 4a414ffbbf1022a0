"""Which servers are changed together, and in which order: what a spec's `rollout` comes to."""

import math
import re
from collections.abc import Collection, Iterable, Sequence

from otto.model.strategy import Amount, Rollout, Strategy

_DIGITS = re.compile(r"(\d+)")
# 0.29 of 100 is 28.999999999999996 to a computer, and 29 to whoever wrote 29%.
_ROUNDING = 1e-9


def batches(
    strategy: Rollout,
    hosts: Iterable[str],
    broken: Collection[str],
    total: int = 0,
    first: Collection[str] = (),
) -> tuple[tuple[str, ...], ...]:
    """The batches in which hosts of one role are changed, in order.

    Those that are broken go first: nobody is taken out of service for them, so they are one batch. With
    `canary` the first batch is a single host, a broken one if there is any. With `all` there is one batch.

    Args:
        strategy: what the spec says.
        hosts: names of the hosts that are to be changed, in any order; they go by name, 2 before 10.
        broken: names of hosts that serve nobody as it is, of those that are not to be changed too.
        total: how many hosts of the role there are, which shares are of; where it is less, `hosts` are all.
        first: names of hosts that go before others which serve as well.
    """
    names = sorted(set(hosts), key=lambda name: (name not in first, _by_number(name)))
    ill, well = [name for name in names if name in broken], [name for name in names if name not in broken]
    if strategy.strategy is Strategy.ALL:
        return _filled([tuple(ill + well)])
    canary: tuple[str, ...] = ()
    if strategy.strategy is Strategy.CANARY:
        canary = tuple((ill or well)[:1])
        ill, well = (
            [name for name in ill if name not in canary],
            [name for name in well if name not in canary],
        )
    everybody = max(total, len(names))
    others = len(set(broken) - set(names))
    size = max(1, min(counted(strategy.batch, everybody), room(strategy, everybody, others)))
    rest = [tuple(well[start : start + size]) for start in range(0, len(well), size)]
    return _filled([canary, tuple(ill), *rest])


def room(strategy: Rollout, total: int, out: int) -> int:
    """How many hosts that serve may be taken out of service now; 0 says that others have to come back first.

    Args:
        strategy: what the spec says.
        total: how many hosts of the role there are.
        out: how many of them are out of service already, broken or set aside.
    """
    most = total if strategy.strategy is Strategy.ALL else counted(strategy.max_unavailable, total)
    return max(0, most - out)


def can_drain(batch: Collection[str], hosts: Iterable[str], broken: Collection[str]) -> bool:
    """Whether visitors of a batch can be turned to somebody: another host of the role that serves.

    Args:
        batch: names of the hosts that are about to be changed.
        hosts: names of all hosts of the role.
        broken: names of those that serve nobody as it is.
    """
    return any(host not in batch and host not in broken for host in hosts)


def counted(amount: Amount, total: int) -> int:
    """How many of so many an amount is: a share is rounded down, and nothing is less than one."""
    return max(1, amount.count or math.floor(amount.share * total + _ROUNDING))


def _filled(found: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(batch) for batch in found if batch)


def _by_number(name: str) -> list[tuple[int, str]]:
    """Sorts acme-web-2 before acme-web-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(name)]
