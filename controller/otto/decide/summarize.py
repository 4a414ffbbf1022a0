"""One place turns what was found into conditions and a phase, whatever happened on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from otto.decide import conditions
from otto.decide.dns.resolving import NOT_MANAGED, Resolution
from otto.decide.rolloutwords import TAKEN_BACK, in_a_line
from otto.decide.signs import tier_of
from otto.decide.verification import serves_nothing
from otto.decide.wording import describe_differences, reasons, told_of
from otto.model.cost import Cost
from otto.model.desired import Desired
from otto.model.difference import UNWISHED, Cause, Difference, Layer
from otto.model.observed import InfrastructureState, Seen, Unseen
from otto.model.plan import StepKind
from otto.model.problem import Problem
from otto.model.rollout import RolloutStatus
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting

_LAYERS = {
    ConditionType.PROVISIONED: Layer.INFRASTRUCTURE,
    ConditionType.CONFIGURED: Layer.CONFIGURATION,
    ConditionType.DEPLOYED: Layer.CONTENT,
    ConditionType.SERVING: Layer.SERVING,
}
"""Reason of the condition Valid: the spec is sound, but what it asks for cannot be had."""

_PHASES = {
    StepKind.PROVISION: Phase.PROVISIONING,
    StepKind.CONFIGURE: Phase.CONFIGURING,
    StepKind.DEPLOY: Phase.DEPLOYING,
    StepKind.DNS: Phase.CONFIGURING,
    StepKind.VERIFY: Phase.VERIFYING,
}

PAUSED = "Paused"
"""Why a site is not in sync whose newest commit waits for a person."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything one look at a site brought to light.

    Attributes:
        site: its name.
        now: when.
        desired: what should be, None when nothing could be resolved.
        infrastructure: the state's hosts and endpoints as last seen.
        differences: what differs, None when the site was not observed.
        problems: problems of the newest spec, which is then not in force.
        verdict: what the guard said, None when nothing was planned.
        plan: digest of the plan that the verdict speaks of, "" for none.
        ends_at: when the site ends by its time to live or a tombstone.
        cost: what its hosts cost, None where nobody knows.
        currency: of `cost`.
        planning: whether what is to be done is being found out.
        step: the step under way, None when no run is.
        error: what went wrong in this look, "" for nothing.
        mend: what a person can do about the error.
        unresolved: why what the newest spec asks for cannot be had, "" when it can.
        stale: why its content may not be the newest, "" where it is.
        waiting: what the site waits for, "" for nothing.
        paused: which commit waits for a person to let its rollout go on, "" for none.
        suspended: whether a person or the spec holds it.
        orphaned: whether no spec wants it any more.
        run: id of the run, "" to keep the last one's.
        next_look: when it will be looked at again.
        failures: failed runs in a row.
        rollout: how the site's last rollout stands, None before the first.
        resolving: whether its names lead to it.
    """

    site: str
    now: datetime
    desired: Desired | None = None
    infrastructure: Seen[InfrastructureState] | Unseen | None = None
    differences: tuple[Difference, ...] | None = None
    problems: tuple[Problem, ...] = ()
    verdict: Verdict | None = None
    plan: str = ""
    ends_at: datetime | None = None
    cost: Cost | None = None
    currency: str = ""
    planning: bool = False
    step: StepKind | None = None
    error: str = ""
    mend: str = ""
    unresolved: str = ""
    stale: str = ""
    waiting: str = ""
    paused: str = ""
    suspended: str = ""
    orphaned: bool = False
    run: str = ""
    next_look: datetime | None = None
    failures: int = 0
    rollout: RolloutStatus | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    resolving: Resolution = NOT_MANAGED


def summarize(before: SiteStatus | None, found: Findings) -> SiteStatus:
    """The status after a look.

    Args:
        before: the status until now; its conditions' times are kept where nothing moved.
        found: what the look brought to light.
    """
    status = before or SiteStatus(site=found.site, phase=Phase.PENDING, updated_at=found.now)
    status = _identify(status, found)
    for condition in _conditions(found):
        status = status.with_condition(condition)
    status = _ready(status, found)
    phase = _phase(status, found)
    return replace(status, phase=phase, message=_message(phase, found))


def _identify(status: SiteStatus, found: Findings) -> SiteStatus:
    status = replace(
        status,
        updated_at=found.now,
        run=found.run or status.run,
        next_look=found.next_look,
        failures=found.failures,
        **_held(status, found),
    )
    if found.desired:
        spec = found.desired.spec
        status = replace(
            status,
            commit=found.desired.commit,
            digest=found.desired.digest,
            labels=spec.labels,
            provider=spec.provider.value,
            cost=found.cost,
            currency=found.currency,
        )
    if isinstance(found.infrastructure, Seen):
        state = found.infrastructure.value
        status = replace(status, endpoints=state.endpoints, hosts=state.hosts)
    return status


def _held(status: SiteStatus, found: Findings) -> dict[str, Any]:
    """What the guard holds now; as before, where this look has not come to it."""
    if found.verdict is None and found.differences is None:
        return {}
    if found.verdict is None and found.planning:
        return {}
    if found.verdict is None or isinstance(found.verdict, Allowed):
        warnings = told_of(found.verdict) if found.verdict else ()
        return {"held": warnings, "held_since": None, "plan": "", "ends_at": found.ends_at}
    same = found.plan == status.plan and status.held_since is not None
    since = status.held_since if same else found.now
    held = told_of(found.verdict)
    return {"held": held, "held_since": since, "plan": found.plan, "ends_at": found.ends_at}


def _conditions(found: Findings) -> Iterable[Condition]:
    yield _condition(found, ConditionType.VALID, *conditions.valid(found.problems, found.unresolved))
    if found.verdict is not None:
        yield _condition(found, ConditionType.ALLOWED, *conditions.allowed(found.verdict))
    if found.paused:
        yield _condition(found, ConditionType.IN_SYNC, Truth.FALSE, PAUSED, found.paused)
    if found.differences is None:
        return
    for kind, layer in _LAYERS.items():
        of_layer = tuple(item for item in found.differences if item.layer is layer)
        yield _layer(found, kind, of_layer)
    names = found.resolving
    yield _condition(found, ConditionType.RESOLVING, names.status, names.reason, names.message)
    yield _in_sync(found, found.differences)


def _condition(found: Findings, kind: ConditionType, status: Truth, reason: str, message: str) -> Condition:
    digest = found.desired.digest if found.desired else ""
    return Condition(kind, status, reason, message, found.now, digest)


def _layer(found: Findings, kind: ConditionType, differences: tuple[Difference, ...]) -> Condition:
    layer = _LAYERS[kind].value
    if not differences:
        message = f"{layer} is as desired"
        if kind is ConditionType.SERVING and found.desired and serves_nothing(found.desired):
            message = "no web servers are wanted, so nothing is served, as desired"
        return _condition(found, kind, Truth.TRUE, "AsDesired", message)
    known = [item for item in differences if item.cause is not Cause.UNKNOWN]
    worst = max(known or differences, key=lambda item: item.severity)
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    message = f"{worst.path}: want {worst.want}, have {worst.have}{more}"
    truth = Truth.FALSE if known else Truth.UNKNOWN
    reason = {Cause.SPEC: "SpecChanged", Cause.DRIFT: "Drifted", Cause.FAILURE: "Failed"}
    return _condition(found, kind, truth, reason.get(worst.cause, "Unknown"), message)


def _in_sync(found: Findings, differences: tuple[Difference, ...]) -> Condition:
    kind = ConditionType.IN_SYNC
    if taken_back := _taken_back(found):
        return _condition(found, kind, Truth.FALSE, "Quarantined", taken_back)
    if not differences:
        return _condition(found, kind, Truth.TRUE, "NoDifference", "observed equals desired")
    layers = ", ".join(dict.fromkeys(item.layer.value for item in differences))
    count = len(differences)
    words = f"{count} difference{'s' if count > 1 else ''} in {layers}"
    if all(item.cause is Cause.UNKNOWN for item in differences):
        return _condition(found, kind, Truth.UNKNOWN, "NotSeen", words)
    return _condition(found, kind, Truth.FALSE, "Different", words)


def _taken_back(found: Findings) -> str:
    """That the newest wish failed and is not in place, "" while it is or may be."""
    status = found.rollout
    if status is None or status.state not in TAKEN_BACK:
        return ""
    return in_a_line(status)


def _ready(status: SiteStatus, found: Findings) -> SiteStatus:
    """Ready is the sum of what visitors depend on; a site not observed this time keeps what it had."""
    kind = ConditionType.READY
    if found.differences is None and status.conditions.get(kind.value):
        return status
    lacking = [item for item in _LAYERS if not status.holds(item)]
    names = status.conditions.get(ConditionType.RESOLVING.value)
    if names is not None and names.status is Truth.FALSE:
        lacking.append(ConditionType.RESOLVING)
    if not lacking:
        return status.with_condition(
            _condition(found, kind, Truth.TRUE, "Verified", "the site was seen to serve as desired")
        )
    first = status.conditions.get(lacking[0].value)
    message = f"not {lacking[0].value}: {first.message}" if first else f"not {lacking[0].value} yet"
    return status.with_condition(_condition(found, kind, Truth.FALSE, f"Not{lacking[0].value}", message))


def _phase(status: SiteStatus, found: Findings) -> Phase:
    if found.orphaned:
        return Phase.ORPHANED
    if found.suspended:
        return Phase.SUSPENDED
    if found.step is not None:
        return _PHASES[found.step]
    if found.planning:
        return Phase.PLANNING
    if isinstance(found.verdict, NeedsApproval | Refused | Waiting):
        return Phase.AWAITING_APPROVAL
    if status.ready and not found.error and not found.waiting:
        return Phase.READY
    if found.differences is None and not found.error:
        return Phase.PENDING
    return _unready(status, found)


def _unready(status: SiteStatus, found: Findings) -> Phase:
    drifted = any(item.cause is Cause.DRIFT for item in found.differences or ())
    if status.holds(ConditionType.SERVING) and drifted:
        return Phase.DRIFTED
    return Phase.DEGRADED if status.hosts or found.error else Phase.PENDING


def _message(phase: Phase, found: Findings) -> str:
    if found.orphaned:
        return f"no spec wants this site any more; it keeps serving until: otto destroy {found.site}"
    if found.suspended:
        return f"suspended by {found.suspended}"
    if found.error:
        return f"{found.error} ({found.mend})" if found.mend else found.error
    if found.waiting:
        return found.waiting
    if found.problems:
        return f"newest spec is bad, the last good one is in force: {found.problems[0]}"
    if found.verdict is not None and not isinstance(found.verdict, Allowed):
        return reasons(found.verdict)
    if phase is Phase.READY:
        return _taken_back(found) or _stale(found)
    return _trouble(found) or phase.value


def _stale(found: Findings) -> str:
    return f"serves the content that was fetched last: {found.stale}" if found.stale else ""


def _trouble(found: Findings) -> str:
    """What broke or was changed behind our back, and which tier saw it; "" while only the wish changed."""
    differences = found.differences or ()
    harm = [item for item in differences if item.cause in UNWISHED]
    if not harm or any(item.cause is Cause.SPEC for item in differences):
        return ""
    first = max(harm, key=lambda item: (item.severity, -list(Layer).index(item.layer)))
    return f"{describe_differences(harm)} ({tier_of(first).value})"
