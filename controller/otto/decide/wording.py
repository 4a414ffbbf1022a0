"""Plans, results and verdicts in a line of words."""

from collections.abc import Iterable

from otto.model.configuration import ConfigurationResult
from otto.model.difference import Difference
from otto.model.plan import Action, Plan
from otto.model.verdict import Allowed, NeedsApproval, Reason, Refused, Verdict, Waiting

ONLY_REPORTED = "only reported, as policy.drift says"
"""How the message begins of a site or a zone whose drift nobody but people put right."""


def describe(plan: Plan) -> str:
    """A plan in one line."""
    if not plan:
        return "nothing to do"
    words = []
    for step in plan.steps:
        what = describe_actions(step.actions) if step.actions else ", ".join(step.hosts)
        words.append(f"{step.kind.value} ({what})" if what else step.kind.value)
    return "; ".join(words)


def left_alone(differences: Iterable[Difference]) -> str:
    """What a policy has nobody but people put right."""
    return f"{ONLY_REPORTED}: {describe_differences(differences)}"


def describe_differences(differences: Iterable[Difference]) -> str:
    """The worst difference in words, and how many more there are."""
    found = sorted(differences, key=lambda item: (-item.severity, item.sort_key))
    if not found:
        return "nothing differs"
    worst = found[0]
    where = f"{worst.host}: " if worst.host else ""
    what = worst.path.removeprefix(f"hosts/{worst.host}/") if worst.host else worst.path
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}{what}: want {worst.want}, have {worst.have}{more}"


def describe_actions(actions: Iterable[Action]) -> str:
    """Counts by kind: `3 create, 1 update`."""
    counts: dict[str, int] = {}
    for action in actions:
        counts[action.kind.value] = counts.get(action.kind.value, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def describe_result(result: ConfigurationResult) -> str:
    """What a play did: `2 hosts, 1 change`."""
    return f"{counted(len(result.hosts), 'host')}, {counted(result.changed, 'change')}"


def results(result: ConfigurationResult) -> list[dict[str, object]]:
    """What a play did to each host, as plain data for the record."""
    return [
        {"host": item.host, "outcome": item.outcome.value, "changed": item.changed, "task": item.task}
        for item in result.hosts
    ]


def reasons(verdict: Verdict) -> str:
    """Why a plan may not go on now, "" when it may."""
    return "; ".join(reason.message for reason in standing_in_the_way(verdict))


def standing_in_the_way(verdict: Verdict) -> tuple[Reason, ...]:
    """The reasons that hold a plan now, the strictest kind alone."""
    return () if isinstance(verdict, Allowed) else verdict.reasons


def told_of(verdict: Verdict) -> tuple[Reason, ...]:
    """Everything that a verdict tells: what holds the plan, what would after that, and warnings."""
    match verdict:
        case Allowed(warnings=warnings):
            return warnings
        case NeedsApproval(reasons=found):
            return found
        case Refused(reasons=found, behind=behind) | Waiting(reasons=found, behind=behind):
            return (*found, *behind)


def counted(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it belongs."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
