"""Which running servers a run changes, in which steps, and what it may go back to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from otto.decide.batches import batches
from otto.decide.expected import SERVICES, wanted
from otto.decide.hostdiff import SET_ASIDE
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference, Layer
from otto.model.host import HostFacts, HostState
from otto.model.infrastructure import InfrastructureInputs
from otto.model.observed import Applied, Observed, Seen, Unseen
from otto.model.plan import Action, ActionKind, Plan
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus
from otto.model.spec import Role
from otto.model.strategy import Strategy

# Begun, and neither at its end nor taken back.
UNDERWAY = frozenset({RolloutState.RUNNING, RolloutState.PAUSED})
REPLACING = frozenset({ActionKind.REPLACE})
_OF_HOSTS = frozenset({Layer.CONFIGURATION, Layer.CONTENT})


@dataclass(frozen=True, slots=True)
class Course:
    """The steps in which a change reaches running servers.

    Attributes:
        batches: web servers that are changed together, in order.
        balancers: balancers that are changed one after the other, when all web servers are.
        replaced: those of them that are made anew.
        resized: those whose size is changed in place.
    """

    batches: tuple[tuple[str, ...], ...] = ()
    balancers: tuple[str, ...] = ()
    replaced: frozenset[str] = frozenset()
    resized: frozenset[str] = frozenset()

    @property
    def provisioned(self) -> frozenset[str]:
        """Servers that Terraform changes when their turn has come."""
        return self.replaced | self.resized

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


def rolls(desired: Desired, observed: Observed, differences: Iterable[Difference], plan: Plan) -> bool:
    """Whether a wish is put in place in steps: one was verified before, and the spec does not say otherwise.

    That very one too, where servers that run have got another meanwhile: a commit that was reverted.

    Args:
        desired: the wish.
        observed: what was seen.
        differences: what differs.
        plan: what is to be done.
    """
    applied = observed.applied
    if not applied.verified or applied.desired is None or desired.spec.rollout.strategy is Strategy.ALL:
        return False
    if applied.verified != desired.digest or later(desired, plan, observed):
        return True
    return not _changed(differences).isdisjoint(_running(desired, observed))


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


def resized(desired: Desired, plan: Plan, observed: Observed) -> frozenset[str]:
    """Servers at work that get another size in place, and whose module tells which they have."""
    sizes, running = {host.name: host.size for host in observed.hosts}, _running(desired, observed)
    found = {action.host for action in plan.actions if action.kind is ActionKind.UPDATE}
    return frozenset(
        name
        for name in found & running.keys()
        if sizes.get(name) and sizes[name] != desired.spec.group(running[name]).size
    )


def later(desired: Desired, plan: Plan, observed: Observed) -> frozenset[str]:
    """Servers at work that a plan changes and that are kept as they are until their turn."""
    return replaced(desired, plan, observed) | resized(desired, plan, observed)


def keeping(inputs: InfrastructureInputs, names: Iterable[str], observed: Observed) -> InfrastructureInputs:
    """What Terraform is given while some servers are kept as they are."""
    kept = frozenset(names)
    sizes = {host.name: host.size for host in observed.hosts if host.name in kept and host.size}
    return replace(inputs, pinned=pins(kept, observed), sizes=sizes)


def pins(names: Iterable[str], observed: Observed) -> dict[str, str]:
    """What keeps servers as they are: host -> the image it runs on."""
    images = {host.name: host.image for host in observed.hosts}
    return {name: images[name] for name in sorted(names) if images.get(name)}


def course(
    desired: Desired,
    observed: Observed,
    differences: Iterable[Difference],
    anew: frozenset[str] = frozenset(),
    *,
    sized: frozenset[str] = frozenset(),
    begun: Iterable[str] = (),
    first: Iterable[str] = (),
) -> Course:
    """The steps for what a changed wish makes of running servers.

    Servers that never ran, that are lost, or that differ for another reason than the wish are none of it:
    nobody is served by them, or they are mended at once.

    Args:
        desired: the wish.
        observed: what was seen, after everything else that Terraform does was done.
        differences: what differs.
        anew: living servers that are to be made anew.
        sized: those whose size is to be changed in place.
        begun: servers that were being changed when an earlier run ended: they are tried and watched again,
            even where nothing is left to change.
        first: servers on which the wish that is taken back failed: visitors are the worst off there.
    """
    changed, aside = _changed(differences) | sized, set_aside(observed)
    again = frozenset(begun) | aside
    running = _running(desired, observed)
    names = {name: role for name, role in running.items() if name in changed | anew | again}
    web = sorted(name for name, role in names.items() if role is Role.WEB)
    # Balancers learn of new servers first: who is to take over is to be there before anybody goes.
    late = {*names} if _wanted_web(desired) <= running.keys() else anew
    balancers = tuple(sorted(name for name, role in names.items() if role is Role.BALANCER and name in late))
    if not web and len(balancers) <= 1 and not anew:
        return Course()
    out = {name for name, role in wanted(desired).items() if role is Role.WEB and name not in running}
    broken = out | aside
    steps = batches(desired.spec.rollout, web, broken, desired.spec.web.count, frozenset(first))
    return Course(steps, balancers, anew & names.keys(), sized & names.keys())


def serving(desired: Desired, observed: Observed) -> frozenset[str]:
    """Web servers that serve visitors."""
    running = {name for name, role in _running(desired, observed).items() if role is Role.WEB}
    return frozenset(running - set_aside(observed))


def leaving(plan: Plan, observed: Observed) -> tuple[str, ...]:
    """Web servers that are to go, as the spec says, and that visitors are on."""
    web = {host.name for host in observed.hosts if host.role is Role.WEB}
    going = {action.host for action in plan.actions if action.kind is ActionKind.SCALE_IN}
    return tuple(sorted(going & web))


def newcomers(observed: Observed, configured: Iterable[str]) -> tuple[str, ...]:
    """Web servers among those just configured that never served before."""
    web = {host.name for host in observed.hosts if host.role is Role.WEB}
    return tuple(sorted(name for name in web & frozenset(configured) if _never_served(observed, name)))


def _never_served(observed: Observed, name: str) -> bool:
    facts = observed.facts.get(name)
    return isinstance(facts, Seen) and not _was_made_ready(facts.value, Role.WEB)


def _was_made_ready(facts: HostFacts, role: Role) -> bool:
    """Whether a host was brought all that it needs to serve, whichever it was."""
    return facts.configuration is not None and (role is not Role.WEB or facts.revision is not None)


def covered(actions: Iterable[Action], approved: Iterable[Action]) -> bool:
    """Whether everything that is to be done now is part of what was judged.

    What was to be made anew may be changed in place: one that keeps its image for now gets its size at once.
    """
    known = {(action.address, action.kind) for action in approved}
    known |= {(address, ActionKind.UPDATE) for address, kind in known if kind in REPLACING}
    return all((action.address, action.kind) in known for action in actions)


def part_of(plan: Plan, status: RolloutStatus | None) -> str:
    """Digest of the plan that was judged as this rollout began, if this one is the rest of it; or ""."""
    if status is None or status.state not in UNDERWAY or status.digest != plan.desired:
        return ""
    # What was approved is done once: a server that was made anew by then is not made anew again.
    left = [item for item in status.actions if item.host not in status.done or item.kind not in REPLACING]
    rest = status.plan if plan.actions and covered(plan.actions, left) else ""
    return rest if rest != plan.digest else ""


def taken_up(status: RolloutStatus, course: Course, judged: Plan) -> RolloutStatus:
    """A rollout that goes on: servers that are changed once more are not done any more."""
    done = tuple(name for name in status.done if name not in course.hosts)
    steps = (*((name,) for name in done), *course.steps) if course else status.batches
    taken_up = replace(status, state=RolloutState.RUNNING, batches=steps, done=done, reason="")
    if judged.about.part_of or covered(judged.actions, status.actions):
        return taken_up
    return replace(taken_up, plan=judged.digest, actions=judged.actions)


def renewed(status: RolloutStatus, found: Quarantine | None) -> frozenset[str]:
    """Servers that a rollout made anew and that go back; none once they are there.

    Args:
        status: how it stands.
        found: what it was quarantined for.
    """
    if found is None or status.state not in (RolloutState.REVERTING, RolloutState.STUCK):
        return frozenset()
    made = {action.host for action in status.actions if action.kind in REPLACING}
    return frozenset(found.hosts) & made if status.plan else frozenset(found.hosts)


def changed_by(status: RolloutStatus | None, digest: str, observed: Observed) -> frozenset[str]:
    """Servers that have a wish already whose rollout is under way, as far as they are alive."""
    if status is None or status.state not in UNDERWAY or status.digest != digest:
        return frozenset()
    return frozenset((*status.done, *status.current)) & _alive(observed)


def cannot_go_back(
    last: Desired | None, roles: Mapping[str, str], module: str, barred: Iterable[str] = ()
) -> str:
    """Why the last verified wish can not be put in place again, "" where it can.

    What it was configured with is part of OttO, which keeps no older version of itself.
    """
    if last is None:
        return "nothing was verified before"
    if dict(last.roles) != dict(roles):
        changed = sorted(name for name in {*last.roles, *roles} if last.roles.get(name) != roles.get(name))
        return f"what configures its hosts changed since: {', '.join(changed)}"
    if last.module != module:
        return "its Terraform module changed since"
    return "; ".join(f"its hosts are made from {image}" for image in barred)


def _wanted_web(desired: Desired) -> frozenset[str]:
    """Names of all web servers that are wanted."""
    return frozenset(desired.host_names(Role.WEB))


def _changed(differences: Iterable[Difference]) -> frozenset[str]:
    """Hosts on which something differs for the wish's sake."""
    return frozenset(
        item.host for item in differences if item.layer in _OF_HOSTS and item.cause is Cause.SPEC
    )


def _running(desired: Desired, observed: Observed) -> dict[str, Role]:
    """Hosts that are wanted, run, and were configured once; servers that have content, too."""
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
    if not isinstance(facts, Seen) or not _was_made_ready(facts.value, role):
        return False
    return facts.value.services.get(SERVICES[role]) == "active"


def set_aside(observed: Observed) -> frozenset[str]:
    """Web servers that some balancer sends nobody to."""
    return frozenset(
        server
        for facts in observed.facts.values()
        if isinstance(facts, Seen)
        for server, have in facts.value.backends.items()
        if have.startswith(SET_ASIDE)
    )


def returned(observed: Observed, names: Iterable[str]) -> Observed:
    """What was observed, once visitors are sent to these servers again."""
    back = frozenset(names)
    facts = {name: _with(seen, back) for name, seen in observed.facts.items()}
    return replace(observed, facts=facts)


def _with(seen: Seen[HostFacts] | Unseen, back: frozenset[str]) -> Seen[HostFacts] | Unseen:
    if not isinstance(seen, Seen) or not back & seen.value.backends.keys():
        return seen
    backends = {name: "UP" if name in back else state for name, state in seen.value.backends.items()}
    return replace(seen, value=replace(seen.value, backends=backends))
