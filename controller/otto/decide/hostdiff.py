"""What hosts say of themselves against what they should be: configuration, services, files, content."""

from collections.abc import Iterable, Iterator

from otto.decide.expected import SERVICES, configuration_digest, wanted
from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference, Layer, Severity
from otto.model.host import Host, HostFacts, HostState
from otto.model.observed import InfrastructureState, Observed, Seen, Unseen
from otto.model.spec import Role

# What haproxy calls a server that a person took out of service (management guide 2.6, 9.1: "status").
SET_ASIDE = ("MAINT", "DRAIN")


def told_by_hosts(desired: Desired, observed: Observed) -> Iterator[Difference]:
    """Differences that hosts tell of; none while it is not known which hosts there are."""
    if isinstance(observed.infrastructure, Unseen):
        return
    state = observed.infrastructure.value
    names = wanted(desired)
    for host in state.hosts:
        if host.name in names:
            yield from _one_host(desired, observed, state, host)


def _one_host(
    desired: Desired, observed: Observed, state: InfrastructureState, host: Host
) -> Iterator[Difference]:
    facts = observed.facts.get(host.name)
    prefix = f"hosts/{host.name}"
    if not isinstance(facts, Seen):
        if _lost(observed, host):
            return  # said of the host as a whole
        reason = facts.reason if facts else "not looked at yet"
        yield Difference(Layer.CONFIGURATION, f"{prefix}/facts", "known", reason, Cause.UNKNOWN)
        return
    want = configuration_digest(desired, host, state)
    if facts.value.configuration != want:
        have = short(facts.value.configuration or "") or "never configured"
        yield Difference(Layer.CONFIGURATION, f"{prefix}/configuration", short(want), have, Cause.SPEC)
    yield from _services(prefix, host.role, facts.value)
    yield from _backends(prefix, state, host.role, facts.value)
    yield from _content(desired, prefix, host.role, facts.value)
    yield from _drift(desired, prefix, host.role, facts.value, observed.applied.hosts.get(host.name))


def _services(prefix: str, role: Role, facts: HostFacts) -> Iterator[Difference]:
    service = SERVICES[role]
    have = facts.services.get(service, "missing")
    if facts.configuration is not None and have != "active":
        yield Difference(
            Layer.CONFIGURATION,
            f"{prefix}/services/{service}",
            "active",
            have,
            Cause.FAILURE,
            Severity.CRITICAL,
        )


def _backends(prefix: str, state: InfrastructureState, role: Role, facts: HostFacts) -> Iterator[Difference]:
    """Servers that somebody took out of the balancer by hand."""
    if role is not Role.BALANCER:
        return
    for server in state.of(Role.WEB):
        have = facts.backends.get(server.name, "")
        if have.startswith(SET_ASIDE):
            yield set_aside(prefix, server.name, have)


def set_aside(prefix: str, server: str, have: str) -> Difference:
    """A server that a person took out of a balancer."""
    path = f"{prefix}/backends/{server}"
    return Difference(Layer.CONFIGURATION, path, "UP", have, Cause.DRIFT, Severity.CRITICAL)


def _lost(observed: Observed, host: Host) -> bool:
    """Whether the provider calls the host anything but running, or it answers nothing."""
    if host.name in observed.silent:
        return True
    if isinstance(observed.inventory, Unseen):
        return False
    live = next((item for item in observed.inventory.value if item.name == host.name), None)
    return live is None or live.state is not HostState.RUNNING


def _content(desired: Desired, prefix: str, role: Role, facts: HostFacts) -> Iterator[Difference]:
    if role is Role.WEB and facts.revision != desired.content:
        have = short(facts.revision or "") or "nothing deployed"
        yield Difference(Layer.CONTENT, f"{prefix}/revision", short(desired.content), have, Cause.SPEC)


def _drift(
    desired: Desired, prefix: str, role: Role, facts: HostFacts, expected: HostFacts | None
) -> Iterator[Difference]:
    """Compare with what the host said right after OttO's own last step on it."""
    if facts.configuration is not None and not _on_record(desired, role, facts, expected):
        yield Difference(Layer.CONFIGURATION, f"{prefix}/expected", "on record", "no record", Cause.UNKNOWN)
    if expected is None:
        return
    same_configuration = facts.configuration == expected.configuration
    if same_configuration:
        yield from _files(prefix, facts, expected)
    deployed = role is Role.WEB and facts.revision == expected.revision == desired.content
    if deployed and facts.content != expected.content:
        yield Difference(
            Layer.CONTENT,
            f"{prefix}/content",
            short(expected.content or ""),
            short(facts.content or "") or "missing",
            Cause.DRIFT,
        )


def _on_record(desired: Desired, role: Role, facts: HostFacts, expected: HostFacts | None) -> bool:
    """Whether what the host should be like was recorded after the last step on it.

    A run that failed on another host, or was cut off, ends before it is: then nothing is known.
    """
    if expected is None or facts.configuration != expected.configuration:
        return False
    deployed = role is Role.WEB and facts.revision == desired.content
    return not deployed or facts.revision == expected.revision


def _files(prefix: str, facts: HostFacts, expected: HostFacts) -> Iterator[Difference]:
    for path in _changed_files(facts, expected):
        yield Difference(
            Layer.CONFIGURATION,
            f"{prefix}/files{path}",
            short(expected.files.get(path) or "") or "absent",
            short(facts.files.get(path) or "") or "missing",
            Cause.DRIFT,
        )
    if facts.fact != expected.fact:
        yield Difference(
            Layer.CONFIGURATION, f"{prefix}/fact", short(expected.fact), short(facts.fact), Cause.DRIFT
        )


def _changed_files(facts: HostFacts, expected: HostFacts) -> Iterable[str]:
    paths = sorted(facts.files.keys() | expected.files.keys())
    return [path for path in paths if facts.files.get(path) != expected.files.get(path)]
