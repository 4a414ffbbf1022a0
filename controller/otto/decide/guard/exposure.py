"""How much it weighs to take something away: what visitors depend on most weighs most."""

from collections.abc import Iterable, Mapping

from otto.model.plan import RECORD, Action

LAST_COPY = 3.0
EXPOSED_RECORD = 3.0
_EXPOSED_TYPES = frozenset({"MX", "NS"})


def last_copies(taken: Iterable[Action], dead: Iterable[Action], hosts: Mapping[str, str]) -> frozenset[str]:
    """Hosts that, taken away together, leave no living host of their role untouched.

    Args:
        taken: actions that take living hosts away.
        dead: hosts that are made anew since they are dead; nobody can count on those.
        hosts: name -> role of the hosts that there are.
    """
    lost = {action.host for action in taken} & hosts.keys()
    living = hosts.keys() - {action.host for action in dead}
    found: set[str] = set()
    for role in set(hosts.values()):
        of_role = {name for name in living if hosts[name] == role}
        if of_role and of_role <= lost:
            found |= of_role
    return frozenset(found)


def is_exposed(action: Action) -> bool:
    """Whether it is a DNS record that much depends on: of the apex, of any name, or saying where mail goes.

    Such an action's type is `record`, its address `NAME TYPE`, with `@` for the apex.
    """
    if action.type != RECORD:
        return False
    name, _, kind = action.address.partition(" ")
    return name in ("@", "*") or name.startswith("*.") or kind in _EXPOSED_TYPES


def weight(action: Action, last: frozenset[str]) -> float:
    """What one action weighs."""
    if action.host in last:
        return LAST_COPY
    return EXPOSED_RECORD if is_exposed(action) else 1.0
