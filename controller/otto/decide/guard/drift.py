"""What is done about drift: asked first, and not for ever."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from otto.decide.guard.rule import Case, Rule
from otto.model.policy import Handling
from otto.model.verdict import Effect, Reason

_HOUR = timedelta(hours=1)


def _ask(case: Case) -> Iterator[Reason]:
    layers = case.policy.site.drift.layers
    found = [layer for layer in case.plan.about.drifted if layers.get(layer) is Handling.ASK]
    if found:
        message = f"what differs in {', '.join(found)} was not caused by the spec, and its policy asks first"
        yield Reason("guard.drift.ask", message, case.approve, figures={"layers": ", ".join(found)})


def _flapping(case: Case) -> Iterator[Reason]:
    limit = case.policy.site.drift.heals
    if not limit or not case.plan.about.mends:
        return
    recent = [heal for heal in case.history.heals if heal.at > case.now - _HOUR]
    counts = Counter(path for heal in recent for path in set(heal.paths))
    often = sorted(path for path in case.plan.about.mends if counts[path] >= limit)
    if not often:
        return
    first = sorted(heal.at for heal in recent if often[0] in heal.paths)[-limit]
    by = f"; {'; '.join(case.history.culprits)}" if case.history.culprits else ""
    message = f"{often[0]} was repaired {counts[often[0]]} times within an hour, and differs again{by}"
    mend = f"find what keeps changing it; {case.approve} repairs it once more"
    figures = {"repairs": str(counts[often[0]]), "limit": str(limit)}
    yield Reason("guard.drift.flapping", message, mend, Effect.WAIT, figures, first + _HOUR)


RULES = (
    Rule(
        "guard.drift.ask",
        Effect.ASK,
        "The plan mends what the spec did not cause, in a layer for which `policy.drift` says `ask`.",
        "`repair` in every layer",
        "Approve the plan.",
        _ask,
    ),
    Rule(
        "guard.drift.flapping",
        Effect.WAIT,
        "The same thing was repaired `policy.drift.heals` times within an hour and differs again.",
        "`policy.drift.heals: 6`; with `0`, never",
        "Find what keeps changing it. It goes on by itself when the first of these repairs is an hour old; "
        "approving the plan repairs it at once.",
        _flapping,
    ),
)
