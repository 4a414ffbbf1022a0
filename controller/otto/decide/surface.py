"""What can be seen of a site without asking its hosts: Terraform's state, the provider's list, probes."""

from collections.abc import Iterator

from otto.decide.expected import wanted
from otto.decide.hostdiff import SET_ASIDE, set_aside
from otto.decide.hosts import is_declared
from otto.decide.targeting import UNMADE
from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference, Layer, Severity
from otto.model.host import Host, HostState, LiveHost
from otto.model.image import short_id
from otto.model.observed import CheckFailure, InfrastructureState, Observed, Unseen


def infrastructure(desired: Desired, observed: Observed) -> Iterator[Difference]:
    """How servers and networks differ."""
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
    yield from _images(desired, observed.infrastructure.value)
    yield from _liveness(desired, observed, observed.infrastructure.value)
    for change in observed.refreshed:
        have = ", ".join(change.changed) or change.reason or "changed"
        yield Difference(layer, f"resources/{change.address}", "as applied", have, Cause.DRIFT)


def _presence(desired: Desired, state: InfrastructureState, *, spec_changed: bool) -> Iterator[Difference]:
    names = wanted(desired)
    have = {host.name for host in state.hosts}
    cause = Cause.SPEC if spec_changed else Cause.FAILURE
    for name in names.keys() - have:
        yield _host(f"{name}/presence", "present", "absent", cause, Severity.CRITICAL, of=desired)
    for name in have - names.keys():
        yield _host(f"{name}/presence", "absent", "present", Cause.SPEC, Severity.INFO, of=desired)


def _images(desired: Desired, state: InfrastructureState) -> Iterator[Difference]:
    """Hosts that were made from another image; those whose module does not tell theirs are left out."""
    for host in state.hosts:
        want = desired.images.get(host.role.value, "")
        if host.name in wanted(desired) and host.image and want and host.image != want:
            path = f"{host.name}/image"
            yield _host(path, short_id(want), short_id(host.image), Cause.SPEC, Severity.WARNING, of=desired)


def _liveness(desired: Desired, observed: Observed, state: InfrastructureState) -> Iterator[Difference]:
    if isinstance(observed.inventory, Unseen):
        reason = observed.inventory.reason
        yield Difference(Layer.INFRASTRUCTURE, "inventory", "readable", reason, Cause.UNKNOWN)
        return
    live = {host.name: host for host in observed.inventory.value}
    for host in state.hosts:
        if host.name in wanted(desired):
            yield from _alive(desired, observed, host, live.get(host.name))
    # Hosts that neither spec nor state knows are nobody's: they are reported, and differ from nothing.
    for name in (live.keys() & wanted(desired).keys()) - {host.name for host in state.hosts}:
        yield _host(
            f"{name}/ownership",
            "in the state",
            "unknown to the state",
            Cause.DRIFT,
            Severity.WARNING,
            of=desired,
        )


def _alive(desired: Desired, observed: Observed, host: Host, live: LiveHost | None) -> Iterator[Difference]:
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
    elif host.name in observed.silent:
        silence = observed.silent[host.name]
        cause = Cause.FAILURE if silence.confirmed else Cause.UNKNOWN
        have = "no answer" if silence.confirmed else "no answer yet"
        aspect = UNMADE if is_declared(host) and silence.confirmed else "reachable"
        yield _host(f"{host.name}/{aspect}", "answers", have, cause, Severity.CRITICAL, of=desired)


def _host(path: str, want: str, have: str, cause: Cause, severity: Severity, *, of: Desired) -> Difference:
    share = round(1 / max(1, len(wanted(of))), 4)
    return Difference(Layer.INFRASTRUCTURE, f"hosts/{path}", want, have, cause, severity, share)


def serving(desired: Desired, observed: Observed) -> Iterator[Difference]:
    """How what visitors get differs."""
    layer = Layer.SERVING
    if isinstance(observed.serving, Unseen):
        yield Difference(layer, "checks", "verified", observed.serving.reason, Cause.UNKNOWN)
        return
    # Until a wish was verified once, what does not answer by it yet is no failure of anything.
    cause = Cause.FAILURE if observed.applied.verified == desired.digest else Cause.SPEC
    for failure in observed.serving.value.failures:
        if failure.host not in observed.silent:  # which is said of the host as a whole
            yield _failing(failure, cause)
    if observed.applied.verified != desired.digest:
        have = short(observed.applied.verified) or "never"
        yield Difference(layer, "verified", short(desired.digest), have, Cause.SPEC, Severity.INFO)
    if observed.serving.value.revision != desired.content:
        have = short(observed.serving.value.revision)
        yield Difference(layer, "revision", short(desired.content), have, Cause.UNKNOWN)


def _failing(failure: CheckFailure, cause: Cause) -> Difference:
    if failure.server and failure.received.startswith(SET_ASIDE):
        return set_aside(f"hosts/{failure.host}", failure.server, failure.received)
    check = failure.check.removeprefix("/")
    if failure.server:
        path = f"hosts/{failure.host}/servers/{failure.server}"
    elif failure.host:
        path = f"hosts/{failure.host}/checks/{check}"
    else:
        path = f"checks/{failure.target.removeprefix('http://').rstrip('/')}/{check}"
    return Difference(Layer.SERVING, path, failure.expected, failure.received, cause, Severity.CRITICAL)
