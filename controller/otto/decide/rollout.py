"""Which running servers a run changes, in which steps, and what it may go back to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from otto.decide.batches import batches
from otto.decide.expected import SERVICES, wanted
from otto.decide.hostdiff import SET_ASIDE
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference, Layer
from otto.model.host import HostState
from otto.model.observed import Applied, Observed, Seen
from otto.model.plan import Action, ActionKind, Plan
from otto.model.rollout import RolloutState, RolloutStatus
from otto.model.spec import Role
from otto.model.strategy import Strategy

# Begun, and neither at its end nor taken back.
UNDERWAY = frozenset({RolloutState.RUNNING, RolloutState.PAUSED})
_OF_HOSTS = frozenset({Layer.CONFIGURATION, Layer.CONTENT})


@dataclass(frozen=True, slots=True)
class Course:
    """The steps in which a change reaches running servers.

    Attributes:
        batches: web servers that are changed together, in order.
        balancers: balancers that are changed one after the other, when all web servers are.
        replaced: those of them that are made anew.
    """

    batches: tuple[tuple[str, ...], ...] = ()
    balancers: tuple[str, ...] = ()
    replaced: frozenset[str] = frozenset()

    @property
    def hosts(self) -> frozenset[str]:
        """All servers on it."""
        return frozenset(name for batch in self.batches for name in batch) | frozenset(self.balancers)

    @property
    def steps(self) -> tuple[tuple[str, ...], ...]:
        """What is changed together, in order, balancers last."""
        return (*self.batches, *((name,) for name in self.balancers))

    def __bool__(self) -> bool:
        return bool(self.batches or self.balancers)


def rolls(desired: Desired, applied: Applied) -> bool:
    """Whether a wish is rolled out in steps: one was verified before, and the spec does not say otherwise."""
    changed = bool(applied.verified) and applied.verified != desired.digest
    return changed and applied.desired is not None and desired.spec.rollout.strategy is not Strategy.ALL


def goes_back(desired: Desired, applied: Applied, *, beside: bool) -> bool:
    """Whether a wish that does not hold is taken back: it is new, and an older one held."""
    changed = bool(applied.verified) and applied.verified != desired.digest
    return changed and applied.desired is not None and not beside


def replaced(desired: Desired, plan: Plan, observed: Observed) -> frozenset[str]:
    """Servers at work that a plan makes anew, and that can be kept as they are for a while.

    One whose image its module does not tell can not: there is nothing to pin it to.
    """
    images = {host.name: host.image for host in observed.hosts}
    found = {action.host for action in plan.actions if action.kind is ActionKind.REPLACE}
    return frozenset(name for name in found & _running(desired, observed).keys() if images.get(name))


def pins(names: Iterable[str], observed: Observed) -> dict[str, str]:
    """What keeps servers as they are: host -> the image it runs on."""
    images = {host.name: host.image for host in observed.hosts}
    return {name: images[name] for name in sorted(names)}


def course(
    desired: Desired,
    observed: Observed,
    differences: Iterable[Difference],
    anew: frozenset[str] = frozenset(),
) -> Course:
    """The steps for what a changed wish makes of running servers.

    Servers that never ran, that are lost, or that differ for another reason than the wish are none of it:
    nobody is served by them, or they are mended at once.

    Args:
        desired: the wish.
        observed: what was seen, after everything else that Terraform does was done.
        differences: what differs.
        anew: living servers that are to be made anew.
    """
    found = tuple(differences)
    changed = {item.host for item in found if item.layer in _OF_HOSTS and item.cause is Cause.SPEC}
    aside = _set_aside(observed)
    running = _running(desired, observed)
    names = {name: role for name, role in running.items() if name in changed | anew}
    web = sorted(name for name, role in names.items() if role is Role.WEB)
    # Balancers learn of new servers first: who is to take over is to be there before anybody goes.
    late = {*names} if _wanted_web(desired) <= running.keys() else anew
    balancers = tuple(sorted(name for name, role in names.items() if role is Role.BALANCER and name in late))
    if not web and len(balancers) <= 1 and not anew:
        return Course()
    out = {name for name, role in wanted(desired).items() if role is Role.WEB and name not in running}
    broken = out | aside | {item.host for item in found if _broken(item)}
    steps = batches(desired.spec.rollout, web, broken, total=desired.spec.web.count)
    return Course(steps, balancers, anew & names.keys())


def serving(desired: Desired, observed: Observed) -> frozenset[str]:
    """Web servers that serve visitors."""
    running = {name for name, role in _running(desired, observed).items() if role is Role.WEB}
    return frozenset(running - _set_aside(observed))


def leaving(plan: Plan, observed: Observed) -> tuple[str, ...]:
    """Web servers that are to go, as the spec says, and that visitors are on."""
    web = {host.name for host in observed.hosts if host.role is Role.WEB}
    going = {action.host for action in plan.actions if action.kind is ActionKind.SCALE_IN}
    return tuple(sorted(going & web))


def covered(actions: Iterable[Action], approved: Iterable[Action]) -> bool:
    """Whether everything that is to be done now is part of what was judged."""
    known = {(action.address, action.kind) for action in approved}
    return all((action.address, action.kind) in known for action in actions)


def part_of(plan: Plan, status: RolloutStatus | None) -> str:
    """Digest of the plan that was judged as this rollout began, if this one is the rest of it; or ""."""
    if status is None or status.state not in UNDERWAY or status.digest != plan.desired:
        return ""
    rest = status.plan if plan.actions and covered(plan.actions, status.actions) else ""
    return rest if rest != plan.digest else ""


def cannot_go_back(last: Desired | None, roles: Mapping[str, str], module: str) -> str:
    """Why the last verified wish can not be put in place again, "" where it can.

    What it was configured with is part of OttO, which keeps no older version of itself.
    """
    if last is None:
        return "nothing was verified before"
    if dict(last.roles) != dict(roles):
        changed = sorted(name for name in {*last.roles, *roles} if last.roles.get(name) != roles.get(name))
        return f"what configures its hosts changed since: {', '.join(changed)}"
    return "" if last.module == module else "its Terraform module changed since"


def _wanted_web(desired: Desired) -> frozenset[str]:
    """Names of all web servers that are wanted."""
    return frozenset(desired.spec.host_names(Role.WEB))


def _running(desired: Desired, observed: Observed) -> dict[str, Role]:
    """Hosts that are wanted, run, and were configured once."""
    if not isinstance(observed.infrastructure, Seen):
        return {}
    names = wanted(desired)
    alive = _alive(observed)
    return {
        host.name: host.role
        for host in observed.infrastructure.value.hosts
        if host.name in names and host.name in alive and _works(observed, host.name, host.role)
    }


def _alive(observed: Observed) -> frozenset[str]:
    if not isinstance(observed.inventory, Seen):
        return frozenset(host.name for host in observed.hosts)
    running = {item.name for item in observed.inventory.value if item.state is HostState.RUNNING}
    return frozenset(running - observed.silent.keys())


def _works(observed: Observed, name: str, role: Role) -> bool:
    facts = observed.facts.get(name)
    if not isinstance(facts, Seen) or facts.value.configuration is None:
        return False
    return facts.value.services.get(SERVICES[role]) == "active"


def _set_aside(observed: Observed) -> set[str]:
    """Web servers that some balancer sends nobody to."""
    return {
        server
        for facts in observed.facts.values()
        if isinstance(facts, Seen)
        for server, have in facts.value.backends.items()
        if have.startswith(SET_ASIDE)
    }


def _broken(difference: Difference) -> bool:
    return bool(difference.host) and difference.cause is Cause.FAILURE
