"""What differs between desired and observed, layer by layer. Equal gives nothing; order never matters."""

from collections.abc import Iterable, Iterator

from otto.decide.expected import SERVICES, configuration_digest, wanted
from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference, Layer, Severity
from otto.model.host import Host, HostFacts, HostState, LiveHost
from otto.model.observed import InfrastructureState, Observed, Seen, Unseen
from otto.model.spec import Role


def diff(desired: Desired, observed: Observed) -> tuple[Difference, ...]:
    """Every difference of one site, sorted by layer and path."""
    found = [*_infrastructure(desired, observed), *_hosts(desired, observed), *_serving(desired, observed)]
    return tuple(sorted(found, key=lambda difference: difference.sort_key))


def _infrastructure(desired: Desired, observed: Observed) -> Iterator[Difference]:
    layer = Layer.INFRASTRUCTURE
    if isinstance(observed.infrastructure, Unseen):
        reason = observed.infrastructure.reason
        yield Difference(layer, "state", "readable", reason, Cause.UNKNOWN, Severity.CRITICAL)
        return
    changed = observed.applied.infrastructure != desired.infrastructure_digest
    if changed:
        have = short(observed.applied.infrastructure) or "nothing applied"
        yield Difference(layer, "inputs", short(desired.infrastructure_digest), have, Cause.SPEC)
    yield from _presence(desired, observed.infrastructure.value, spec_changed=changed)
    yield from _liveness(desired, observed, observed.infrastructure.value)


def _presence(desired: Desired, state: InfrastructureState, *, spec_changed: bool) -> Iterator[Difference]:
    names = wanted(desired)
    have = {host.name for host in state.hosts}
    cause = Cause.SPEC if spec_changed else Cause.FAILURE
    for name in names.keys() - have:
        yield _host(f"{name}/presence", "present", "absent", cause, Severity.CRITICAL, of=desired)
    for name in have - names.keys():
        yield _host(f"{name}/presence", "absent", "present", Cause.SPEC, Severity.INFO, of=desired)


def _liveness(desired: Desired, observed: Observed, state: InfrastructureState) -> Iterator[Difference]:
    if isinstance(observed.inventory, Unseen):
        reason = observed.inventory.reason
        yield Difference(Layer.INFRASTRUCTURE, "inventory", "readable", reason, Cause.UNKNOWN)
        return
    live = {host.name: host for host in observed.inventory.value}
    for host in state.hosts:
        if host.name in wanted(desired):
            yield from _alive(desired, host, live.get(host.name))
    for name in live.keys() - {host.name for host in state.hosts}:
        yield _host(
            f"{name}/ownership",
            "in the state",
            "unknown to the state",
            Cause.DRIFT,
            Severity.WARNING,
            of=desired,
        )


def _alive(desired: Desired, host: Host, live: LiveHost | None) -> Iterator[Difference]:
    if live is None:
        yield _host(f"{host.name}/state", "running", "gone", Cause.FAILURE, Severity.CRITICAL, of=desired)
    elif live.state is not HostState.RUNNING:
        yield _host(
            f"{host.name}/state", "running", live.state.value, Cause.FAILURE, Severity.CRITICAL, of=desired
        )
    elif live.id != host.id:
        yield _host(
            f"{host.name}/identity",
            short(host.id),
            short(live.id),
            Cause.DRIFT,
            Severity.CRITICAL,
            of=desired,
        )


def _host(path: str, want: str, have: str, cause: Cause, severity: Severity, *, of: Desired) -> Difference:
    share = round(1 / max(1, len(wanted(of))), 4)
    return Difference(Layer.INFRASTRUCTURE, f"hosts/{path}", want, have, cause, severity, share)


def _hosts(desired: Desired, observed: Observed) -> Iterator[Difference]:
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
        reason = facts.reason if facts else "not looked at yet"
        yield Difference(Layer.CONFIGURATION, f"{prefix}/facts", "known", reason, Cause.UNKNOWN)
        return
    want = configuration_digest(desired, host, state)
    if facts.value.configuration != want:
        have = short(facts.value.configuration or "") or "never configured"
        yield Difference(Layer.CONFIGURATION, f"{prefix}/configuration", short(want), have, Cause.SPEC)
    yield from _services(prefix, host.role, facts.value)
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


def _serving(desired: Desired, observed: Observed) -> Iterator[Difference]:
    layer = Layer.SERVING
    if isinstance(observed.serving, Unseen):
        yield Difference(layer, "checks", "verified", observed.serving.reason, Cause.UNKNOWN)
        return
    # Until a wish was verified once, what does not answer by it yet is no failure of anything.
    cause = Cause.FAILURE if observed.applied.verified == desired.digest else Cause.SPEC
    for failure in observed.serving.value.failures:
        target = failure.target.removeprefix("http://").rstrip("/")
        path = f"checks/{target}/{failure.check.removeprefix('/')}"
        yield Difference(layer, path, failure.expected, failure.received, cause, Severity.CRITICAL)
    if observed.applied.verified != desired.digest:
        have = short(observed.applied.verified) or "never"
        yield Difference(layer, "verified", short(desired.digest), have, Cause.SPEC, Severity.INFO)
    if observed.serving.value.revision != desired.content:
        have = short(observed.serving.value.revision)
        yield Difference(layer, "revision", short(desired.content), have, Cause.UNKNOWN)
