"""From differences to one ordered plan for one site."""

from collections.abc import Iterable

from otto.decide.expected import SERVICES, wanted
from otto.decide.hosts import is_declared
from otto.decide.targeting import for_content, for_infrastructure, roles_needed
from otto.model.canonical import digest
from otto.model.desired import Desired
from otto.model.difference import UNWISHED, Cause, Difference, Layer
from otto.model.host import HostState, LiveHost
from otto.model.infrastructure import ResourceChange
from otto.model.observed import InfrastructureState, Observed, Seen, Unseen
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Removing, Step, StepKind
from otto.model.spec import Role

_MEMBERSHIP = frozenset(
    {ActionKind.CREATE, ActionKind.REPAIR, ActionKind.REPLACE, ActionKind.SCALE_IN, ActionKind.DESTROY}
)
# Terraform's word for a resource whose creation never came to its end: no host that ever worked.
_TAINTED = "replace_because_tainted"
# Terraform's word for a resource that it was told to make anew.
_REQUESTED = "replace_by_request"
_NEW = frozenset({ActionKind.CREATE, ActionKind.REPAIR, ActionKind.REPLACE})
_OF_HOSTS = frozenset({Layer.CONFIGURATION, Layer.CONTENT})


def needs_infrastructure(differences: Iterable[Difference]) -> bool:
    """Whether these differences are reason enough to run Terraform; an unreadable layer alone is not."""
    return any(for_infrastructure(difference) for difference in differences)


def lost_hosts(observed: Observed) -> tuple[str, ...]:
    """Hosts that are to be made anew: their provider calls them running, and they answer nothing."""
    if isinstance(observed.inventory, Unseen):
        return ()
    running = {host.name for host in observed.inventory.value if host.state is HostState.RUNNING}
    lost = {name for name, item in observed.silent.items() if item.confirmed and name in running}
    # A machine that a person declared is theirs to mend.
    return tuple(sorted(lost - {host.name for host in observed.hosts if is_declared(host)}))


def new_hosts(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """Hosts that will have to be made: the provider has them not, or they are lost.

    Terraform has not been asked; nothing is made on this word.
    """
    if isinstance(observed.inventory, Unseen):
        return ()
    there = {host.name for host in observed.inventory.value}
    return tuple(sorted({*wanted(desired)} - there | {*lost_hosts(observed)}))


def plan(
    desired: Desired,
    observed: Observed,
    differences: Iterable[Difference],
    changes: Iterable[ResourceChange] = (),
    *,
    force: frozenset[StepKind] = frozenset(),
) -> Plan:
    """One plan over all layers.

    Args:
        desired: what should be.
        observed: what was seen.
        differences: `diff` of the two.
        changes: what Terraform plans to do about the infrastructure, none when it was not asked.
        force: steps a person asked for, whether or not anything differs.

    Returns:
        Steps in order; a step that has nothing to do is left out, and with no step before it, so is
        verification, unless serving itself differs.
    """
    found = tuple(differences)
    actions = tuple(
        sorted((classify(change, desired, observed) for change in changes), key=lambda a: a.address)
    )
    steps = [
        *_provision(desired, actions),
        *_configure(desired, found, actions, everything=StepKind.CONFIGURE in force),
        *_deploy(desired, found, actions, everything=StepKind.DEPLOY in force),
    ]
    serving = any(difference.layer is Layer.SERVING for difference in found)
    if steps or serving or force:
        steps.append(Step(StepKind.VERIFY, (), (), _verify_detail(desired)))
    about = _circumstances(desired, observed, found, asked=bool(force))
    return Plan(desired.site, desired.digest, tuple(steps), about)


def removal(
    site: str, provider: str, state: InfrastructureState, live: Iterable[LiveHost], removing: Removing
) -> Plan:
    """The plan that takes a whole site down: visitors first, then its hosts.

    Args:
        site: its name.
        provider: where it lives.
        state: what Terraform's state holds of it.
        live: what the provider has under its labels.
        removing: who wants it.
    """
    roles = {host.name: host.role.value for host in state.hosts} | {host.name: host.role for host in live}
    actions = tuple(Action(name, ActionKind.DESTROY, host=name, asked=True) for name in sorted(roles))
    balancers = tuple(sorted(host.name for host in state.of(Role.BALANCER)))
    steps = [Step(StepKind.DRAIN, balancers)] if balancers else []
    steps.append(Step(StepKind.DESTROY, tuple(sorted(roles)), actions))
    return Plan(site, "", tuple(steps), Circumstances(provider, roles, ("asked",), removing=removing))


def narrowed(judged: Plan, actions: tuple[Action, ...]) -> Plan:
    """The part of a plan that these infrastructure actions are, under the same circumstances."""
    hosts = tuple(sorted({action.host for action in actions if action.host}))
    step = Step(StepKind.PROVISION, hosts, tuple(sorted(actions, key=lambda item: item.address)))
    return Plan(judged.site, judged.desired, (step,), judged.about)


def _circumstances(
    desired: Desired, observed: Observed, found: tuple[Difference, ...], *, asked: bool
) -> Circumstances:
    # What visitors get while a host has another wish than this one is that wish's doing, and no drift.
    changed = any(item.cause is Cause.SPEC and item.layer in _OF_HOSTS for item in found)
    not_wished = [
        item for item in found if item.cause in UNWISHED and not (changed and item.layer is Layer.SERVING)
    ]
    return Circumstances(
        provider=desired.spec.provider.value,
        hosts={host.name: host.role.value for host in observed.hosts},
        causes=tuple(sorted({item.cause.value for item in found} | ({"asked"} if asked else set()))),
        drifted=tuple(sorted({item.layer.value for item in not_wished})),
        mends=tuple(sorted({item.path for item in not_wished})),
        sizes=tuple(sorted({desired.spec.group(role).size for role in Role})),
    )


def classify(change: ResourceChange, desired: Desired, observed: Observed) -> Action:
    """Give a Terraform change the kind the guard decides by."""
    kind = _kind(change, desired, observed)
    return Action(
        change.address,
        kind,
        change.changed,
        change.host,
        change.reason,
        kind is ActionKind.SCALE_IN,
        change.type,
    )


def _kind(change: ResourceChange, desired: Desired, observed: Observed) -> ActionKind:
    if change.importing and "delete" not in change.verbs:
        return ActionKind.IMPORT
    if change.reason == _TAINTED:
        return ActionKind.REPAIR
    if "delete" in change.verbs and "create" in change.verbs:
        dead = _gone(change, observed) or _silent(change, observed)
        return ActionKind.REPAIR if dead else ActionKind.REPLACE
    if "delete" in change.verbs:
        unwanted = bool(change.host) and change.host not in wanted(desired)
        return ActionKind.SCALE_IN if unwanted else ActionKind.DESTROY
    if "create" in change.verbs:
        known = any(host.name == change.host for host in observed.hosts)
        return ActionKind.REPAIR if known and _dead(change.host, observed) else ActionKind.CREATE
    return ActionKind.UPDATE


def _gone(change: ResourceChange, observed: Observed) -> bool:
    """Whether a replacement has no other reason than that the host is gone from the inventory.

    A host that merely stopped is started again, so Terraform's wish to replace it has another reason.
    """
    if change.replace_for or not isinstance(observed.inventory, Seen):
        return False
    return bool(change.host) and change.host not in {item.name for item in observed.inventory.value}


def _silent(change: ResourceChange, observed: Observed) -> bool:
    """Whether a replacement has no other reason than that the host answers neither HTTP nor SSH."""
    silence = observed.silent.get(change.host)
    return change.reason == _REQUESTED and silence is not None and silence.confirmed


def _dead(host: str, observed: Observed) -> bool:
    """Whether the provider's inventory, seen, has no running host of that name.

    Terraform's own refresh, which led to the change, is the other of the two independent signals.
    """
    if not host or not isinstance(observed.inventory, Seen):
        return False
    live = next((item for item in observed.inventory.value if item.name == host), None)
    return live is None or live.state is HostState.STOPPED


def _provision(desired: Desired, actions: tuple[Action, ...]) -> list[Step]:
    """Actions name attributes and not values, so the digest of the inputs says what they come to."""
    if not actions:
        return []
    hosts = tuple(sorted({action.host for action in actions if action.host}))
    return [Step(StepKind.PROVISION, hosts, actions, (f"inputs {desired.infrastructure_digest}",))]


def _configure(
    desired: Desired, found: tuple[Difference, ...], actions: tuple[Action, ...], *, everything: bool
) -> list[Step]:
    names = wanted(desired)
    whole = _new_hosts(actions) | _balancers_to_tell(names, actions)
    needed: dict[str, frozenset[str]] = {}
    for name, role in names.items():
        own = frozenset({"base", SERVICES[role]})
        of_host = [item for item in found if item.host == name]
        roles = own if everything or name in whole else roles_needed(of_host, own)
        if roles:
            needed[name] = roles
    if not needed:
        return []
    every = sorted(frozenset().union(*needed.values()))
    inputs = _configuration_inputs(desired, {names[name] for name in needed})
    partly = {
        name: tuple(sorted(roles))
        for name, roles in sorted(needed.items())
        if roles != {"base", SERVICES[names[name]]}
    }
    detail = (f"inputs {inputs}", *(f"role {role}" for role in every))
    return [Step(StepKind.CONFIGURE, tuple(sorted(needed)), (), detail, partly)]


def _configuration_inputs(desired: Desired, roles: Iterable[Role]) -> str:
    """Names what hosts are configured with: whoever approves a plan approves this, and nothing else."""
    return digest({role.value: desired.configuration_inputs(role) for role in roles})


def _deploy(
    desired: Desired, found: tuple[Difference, ...], actions: tuple[Action, ...], *, everything: bool
) -> list[Step]:
    names = wanted(desired)
    touched = {item.host for item in found if for_content(item)} | _new_hosts(actions)
    hosts = tuple(sorted(n for n, role in names.items() if role is Role.WEB and (everything or n in touched)))
    return [Step(StepKind.DEPLOY, hosts, (), (f"revision {desired.content}",))] if hosts else []


def _new_hosts(actions: tuple[Action, ...]) -> set[str]:
    return {action.host for action in actions if action.host and action.kind in _NEW}


def _balancers_to_tell(names: dict[str, Role], actions: tuple[Action, ...]) -> set[str]:
    """Balancers learn of every web server that comes or goes; web servers of every balancer."""
    moved = {action.host for action in actions if action.host and action.kind in _MEMBERSHIP}
    told: set[str] = set()
    if any("-web-" in host for host in moved):
        told |= {name for name, role in names.items() if role is Role.BALANCER}
    if any("-balancer-" in host for host in moved):
        told |= {name for name, role in names.items() if role is Role.WEB}
    return told


def _verify_detail(desired: Desired) -> tuple[str, ...]:
    return (f"{len(desired.spec.checks)} checks", f"revision {desired.content}")
