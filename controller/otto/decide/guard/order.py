"""In which order sites get what many of them share."""

from collections.abc import Iterator

from otto.decide.guard.rule import Case, Rule
from otto.model.history import GrantKind
from otto.model.verdict import Effect, Reason

_MOST_NAMED = 4


def _wave(case: Case) -> Iterator[Reason]:
    turn = case.history.turn
    if turn or case.idle or case.only_mends or case.removing or case.grants(GrantKind.OVERRIDE):
        return
    if "failure" in case.plan.about.causes and not turn.mends:
        return  # it cannot be mended as it was, and is broken anyhow: nobody loses by its going first
    what = f"{_some(turn.change)} reaches sites in waves, and this one is in wave {turn.wave} of {turn.waves}"
    figures = {"wave": f"{turn.wave} of {turn.waves}", "waits": str(len(turn.waits))}
    override = f"otto override {case.plan.site} --reason TEXT lets it go first"
    if turn.stopped:
        message = f"{what}: stopped, since it failed at {_some(turn.stopped)}"
        mend = f"otto why {turn.stopped[0]}, and mend it; {override}"
        yield Reason(
            "guard.rollout.wave", message, mend, Effect.WAIT, figures | {"failed": str(len(turn.stopped))}
        )
    else:
        message = f"{what}: waits for {_some(turn.waits)}"
        mend = f"it goes on by itself when they have it and are well; {override}"
        yield Reason("guard.rollout.wave", message, mend, Effect.WAIT, figures)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


RULES = (
    Rule(
        "guard.rollout.wave",
        Effect.WAIT,
        "A change that many sites share (an image that its channel points at, a role, a provider's module) "
        "while sites before this one do not have it yet, or failed with it. Repairs do not wait, nor does "
        "what takes a commit back; nor does a site that is broken, where it cannot be mended without the "
        "change; nor one that is new.",
        "`rollout` of the fleet's policy: no canaries, all together",
        "Nothing: it goes on when those before it are well. `otto override` lets it go first.",
        _wave,
    ),
)
