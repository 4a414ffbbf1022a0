"""What another wish would do to a site that is as the present one asks: told without asking any host.

Neither Terraform nor Ansible is run for it: which hosts come, go or are made anew is told from the two wishes
and from the hosts in the state, the rest by the very functions that plan a run. What is broken now, or was
changed by hand, has no place in it: the answer is about the proposal alone.
"""

from collections.abc import Iterator
from datetime import datetime

from otto.decide.diff import diff
from otto.decide.expected import SERVICES, configuration_digest, wanted
from otto.decide.planning import plan
from otto.model.desired import Desired
from otto.model.host import Host, HostFacts, HostState, LiveHost
from otto.model.infrastructure import ResourceChange
from otto.model.observed import Applied, InfrastructureState, Observed, Seen, Serving
from otto.model.plan import Plan
from otto.model.spec import Role

_HOST = "host"


def proposed(before: Desired | None, after: Desired, state: InfrastructureState, now: datetime) -> Plan:
    """The plan that brings a site from one wish to another.

    Args:
        before: the wish in force, None for a site that has none.
        after: the other wish.
        state: the hosts that there are.
        now: the time.
    """
    observed = as_wished(before, after.site, state, now)
    changes = tuple(_changes(before, after, state))
    return plan(after, observed, diff(after, observed), changes)


def as_wished(before: Desired | None, site: str, state: InfrastructureState, now: datetime) -> Observed:
    """What would be seen of a site if everything were as wished."""
    live = tuple(_running(site, host) for host in state.hosts)
    facts = {host.name: _facts(before, host, state) for host in state.hosts} if before else {}
    applied = Applied()
    if before is not None:
        sizes = {role.value: before.spec.group(role).size for role in Role}
        applied = Applied(before.infrastructure_digest, sizes, facts, before.digest, before)
    return Observed(
        infrastructure=Seen(state, now),
        inventory=Seen(live, now),
        facts={name: Seen(said, now) for name, said in facts.items()},
        serving=Seen(Serving((), 0, before.content if before else ""), now),
        applied=applied,
    )


def _running(site: str, host: Host) -> LiveHost:
    return LiveHost(host.id, host.name, site, host.role.value, HostState.RUNNING)


def _facts(before: Desired, host: Host, state: InfrastructureState) -> HostFacts:
    return HostFacts(
        fact="",
        services={SERVICES[host.role]: "active"},
        configuration=configuration_digest(before, host, state),
        revision=before.content if host.role is Role.WEB else None,
    )


def _changes(before: Desired | None, after: Desired, state: InfrastructureState) -> Iterator[ResourceChange]:
    """What Terraform would most likely plan, host by host."""
    names, there = wanted(after), {host.name: host.role for host in state.hosts}
    for name in sorted(names.keys() | there.keys()):
        if name not in there:
            yield ResourceChange(name, _HOST, ("create",), host=name)
        elif name not in names:
            yield ResourceChange(name, _HOST, ("delete",), host=name)
        elif before is not None and (moved := _moved(before, after, names[name])):
            verbs = ("delete", "create")
            yield ResourceChange(name, _HOST, verbs, changed=moved, replace_for=moved, host=name)


def _moved(before: Desired, after: Desired, role: Role) -> tuple[str, ...]:
    """What of a host cannot be changed while it lives."""
    old, new = before.spec.group(role), after.spec.group(role)
    differs = {
        "image": before.images.get(role.value) != after.images.get(role.value),
        "provider": before.spec.provider is not after.spec.provider,
        "size": old.size != new.size,
    }
    return tuple(name for name, is_so in differs.items() if is_so)
