"""The status of a zone, from what a look at it brought to light."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from otto.decide import conditions
from otto.decide.wording import counted, describe_differences, reasons, told_of
from otto.model.difference import Cause, Difference
from otto.model.observed import CheckFailure
from otto.model.plan import StepKind
from otto.model.problem import Problem
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting
from otto.model.zonememory import DesiredZone

_PHASES = {StepKind.DNS: Phase.CONFIGURING, StepKind.VERIFY: Phase.VERIFYING}


@dataclass(frozen=True, slots=True)
class ZoneFindings:
    """Everything one look at a zone brought to light.

    Attributes:
        zone: its name.
        now: when.
        desired: what should be, None where no spec says so.
        differences: what differs, None where the zone was not read.
        conflicts: record sets of others where the spec wants its own.
        foreign: how many record sets of others there are.
        lost: sites that records follow and whose addresses are not known.
        failures: what nameservers answer otherwise, None where they were not asked.
        problems: problems of the newest spec, which is then not in force.
        verdict: what the guard said, None where nothing was planned.
        plan: digest of the plan that it speaks of, "" for none.
        planning: whether what is to be done is being found out.
        step: the step under way.
        error: what went wrong in this look, "" for nothing.
        mend: what a person can do about that.
        waiting: what the zone waits for, "" for nothing.
        suspended: whether a person or the spec holds it.
        orphaned: whether no spec wants it any more.
        leaving: who wants it given up, while the guard holds that; "" for nobody.
        run: id of the run, "" to keep the last one's.
        next_look: when it is looked at in full again.
        failed: failed runs in a row.
    """

    zone: str
    now: datetime
    desired: DesiredZone | None = None
    differences: tuple[Difference, ...] | None = None
    conflicts: tuple[Difference, ...] = ()
    foreign: int = 0
    lost: tuple[str, ...] = ()
    failures: tuple[CheckFailure, ...] | None = None
    problems: tuple[Problem, ...] = ()
    verdict: Verdict | None = None
    plan: str = ""
    planning: bool = False
    step: StepKind | None = None
    error: str = ""
    mend: str = ""
    waiting: str = ""
    suspended: str = ""
    orphaned: bool = False
    leaving: str = ""
    run: str = ""
    next_look: datetime | None = None
    failed: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


def summarize(before: SiteStatus | None, found: ZoneFindings) -> SiteStatus:
    """The status after a look; times of conditions are kept where nothing moved."""
    status = before or SiteStatus(site=found.zone, phase=Phase.PENDING, updated_at=found.now)
    status = _identify(status, found)
    for condition in _conditions(found):
        status = status.with_condition(condition)
    status = _ready(status, found)
    phase = _phase(status, found)
    return replace(status, phase=phase, message=_message(phase, found))


def _identify(status: SiteStatus, found: ZoneFindings) -> SiteStatus:
    status = replace(
        status,
        updated_at=found.now,
        run=found.run or status.run,
        next_look=found.next_look,
        failures=found.failed,
        leaving=found.leaving,
        **_held(status, found),
    )
    if found.desired is None:
        return status
    spec = found.desired.spec
    return replace(
        status,
        commit=found.desired.commit,
        digest=found.desired.digest,
        labels=spec.labels,
        provider=spec.provider.value,
    )


def _held(status: SiteStatus, found: ZoneFindings) -> dict[str, Any]:
    if found.verdict is None and (found.differences is None or found.planning):
        return {}
    if found.verdict is None or isinstance(found.verdict, Allowed):
        warnings = told_of(found.verdict) if found.verdict else ()
        return {"held": warnings, "held_since": None, "plan": ""}
    same = found.plan == status.plan and status.held_since is not None
    since = status.held_since if same else found.now
    return {"held": told_of(found.verdict), "held_since": since, "plan": found.plan}


def _conditions(found: ZoneFindings) -> Iterator[Condition]:
    yield _condition(found, ConditionType.VALID, *conditions.valid(found.problems))
    if found.verdict is not None:
        yield _condition(found, ConditionType.ALLOWED, *conditions.allowed(found.verdict))
    if found.failures is not None:
        yield _resolving(found, found.failures)
    if found.differences is not None:
        yield _in_sync(found, found.differences)


def _condition(
    found: ZoneFindings, kind: ConditionType, status: Truth, reason: str, message: str
) -> Condition:
    digest = found.desired.digest if found.desired else ""
    return Condition(kind, status, reason, message, found.now, digest)


def _resolving(found: ZoneFindings, failures: tuple[CheckFailure, ...]) -> Condition:
    kind = ConditionType.RESOLVING
    if not failures:
        message = "every nameserver answers as desired"
        return _condition(found, kind, Truth.TRUE, "AsDesired", message)
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return _condition(found, kind, Truth.FALSE, "Failed", f"{failures[0]}{more}")


def _in_sync(found: ZoneFindings, differences: tuple[Difference, ...]) -> Condition:
    kind = ConditionType.IN_SYNC
    if differences:
        reason = "Drifted" if all(item.cause is Cause.DRIFT for item in differences) else "Different"
        return _condition(found, kind, Truth.FALSE, reason, describe_differences(differences))
    if found.conflicts:
        words = describe_differences(found.conflicts)
        mend = "take it over with policy.takeover: true, or take it out of the spec"
        return _condition(found, kind, Truth.FALSE, "Conflict", f"{words}; {mend}")
    verb = "is" if found.foreign == 1 else "are"
    others = f"; {counted(found.foreign, 'record set')} of others {verb} left alone" if found.foreign else ""
    message = f"the zone holds what is desired{others}{_of_lost(found)}"
    return _condition(found, kind, Truth.TRUE, "NoDifference", message)


def _of_lost(found: ZoneFindings) -> str:
    if not found.lost:
        return ""
    return f"; no address of {', '.join(found.lost)} is known: its records stay as they are"


def _ready(status: SiteStatus, found: ZoneFindings) -> SiteStatus:
    kind = ConditionType.READY
    if found.differences is None and found.failures is None and status.conditions.get(kind.value):
        return status
    lacking = [item for item in (ConditionType.IN_SYNC, ConditionType.RESOLVING) if not status.holds(item)]
    if not lacking:
        message = "the zone was seen to resolve as desired"
        return status.with_condition(_condition(found, kind, Truth.TRUE, "Verified", message))
    first = status.conditions.get(lacking[0].value)
    message = f"not {lacking[0].value}: {first.message}" if first else f"not {lacking[0].value} yet"
    return status.with_condition(_condition(found, kind, Truth.FALSE, f"Not{lacking[0].value}", message))


def _phase(status: SiteStatus, found: ZoneFindings) -> Phase:
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
    if found.error:
        return Phase.DEGRADED
    if status.ready and not found.waiting:
        return Phase.READY
    if found.differences is None and found.failures is None:
        return Phase.PENDING
    drifted = found.differences and all(item.cause is Cause.DRIFT for item in found.differences)
    return Phase.DRIFTED if drifted and status.holds(ConditionType.RESOLVING) else Phase.DEGRADED


def _message(phase: Phase, found: ZoneFindings) -> str:
    if found.orphaned:
        return f"no spec wants this zone any more; its records stay until: otto destroy {found.zone}"
    if found.suspended:
        return f"suspended by {found.suspended}"
    if found.error:
        return f"{found.error} ({found.mend})" if found.mend else found.error
    if found.waiting:
        return found.waiting
    if found.problems:
        return f"newest spec is bad, the last good one is in force: {found.problems[0]}"
    if found.verdict is not None and not isinstance(found.verdict, Allowed):
        held = reasons(found.verdict)
        return f"to be given up ({found.leaving}), and stays: {held}" if found.leaving else held
    if phase is Phase.READY:
        return _of_lost(found).removeprefix("; ")
    return _trouble(found) or phase.value


def _trouble(found: ZoneFindings) -> str:
    if found.differences:
        return describe_differences(found.differences)
    if found.conflicts:
        return describe_differences(found.conflicts)
    return str(found.failures[0]) if found.failures else ""
