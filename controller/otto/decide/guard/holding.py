"""What holds a plan back whatever is in it: protection, freezes, change windows."""

from collections.abc import Iterator

from otto.decide import windows
from otto.decide.freezing import command
from otto.decide.guard.rule import Case, Rule, names
from otto.model.history import GrantKind
from otto.model.policy import Windows
from otto.model.verdict import Effect, Reason


def _protected(case: Case) -> Iterator[Reason]:
    if case.ends and case.policy.site.protect:
        message = f"the plan would end {names(case.ends)}, and the {case.noun} is protected"
        mend = "take policy.protect out of its spec in a commit of its own, then change or remove it"
        yield Reason("guard.protect", message, mend, Effect.REFUSE)


def _protected_before(case: Case) -> Iterator[Reason]:
    """What the last applied spec protects cannot go in the step that takes the flag away."""
    if case.ends and case.history.protected and not case.policy.site.protect:
        message = (
            f"the plan would end {names(case.ends)}, and the {case.noun} was protected until this very change"
        )
        mend = f"{case.approve}; or take only policy.protect out first, in a commit of its own"
        yield Reason("guard.protect.recent", message, mend, Effect.ASK)


def _frozen(case: Case) -> Iterator[Reason]:
    if not case.takes:
        return
    for grant in case.grants(GrantKind.FREEZE):
        of = f"this {case.noun}" if grant.site else "every site"
        why = f": {grant.reason}" if grant.reason else ""
        message = f"deletions of {of} are frozen since {grant.at:%Y-%m-%d %H:%M} by {grant.by}{why}"
        figures = {"takes": str(len(case.takes))}
        yield Reason("guard.freeze", message, command(grant.site), Effect.WAIT, figures, grant.until)


def _closed(case: Case, whose: str, window: Windows) -> Iterator[Reason]:
    if case.idle or case.grants(GrantKind.OVERRIDE) or (case.only_mends and not window.repairs):
        return
    if not windows.open_at(window, case.now):
        until = windows.next_change(window, case.now)
        when = f"the next one begins {until:%Y-%m-%d %H:%M} UTC" if until else "none begins within a year"
        message = f"no change window of the {whose if whose == 'fleet' else case.noun} is open; {when}"
        mend = f"otto override {case.plan.site} --reason TEXT, in an emergency"
        yield Reason(f"guard.window.{whose}", message, mend, Effect.WAIT, until=until)


RULES = (
    Rule(
        "guard.protect",
        Effect.REFUSE,
        "A living host of a protected site (`policy.protect: true`) would be destroyed or replaced, or a "
        "record set of a protected zone removed. Where the spec is gone, the last good one counts.",
        "not protected",
        "Take the flag out of the spec in a commit of its own, then change or remove the site.",
        _protected,
    ),
    Rule(
        "guard.protect.recent",
        Effect.ASK,
        "The same, where the spec that was applied last protects the site and the newest one does not: a "
        "commit that takes the flag out and ends hosts as well is not enough.",
        "asks",
        "Approve the plan; or take the flag out alone first.",
        _protected_before,
    ),
    Rule(
        "guard.freeze",
        Effect.WAIT,
        "Something living would be destroyed, replaced or scaled in while deletions are frozen: by `otto "
        "freeze`, or by OttO itself since the repository lost much at once.",
        "not frozen",
        "`otto thaw`, or the end that the freeze has.",
        _frozen,
    ),
    Rule(
        "guard.window.site",
        Effect.WAIT,
        "A change outside the change windows of the site or zone (`policy.windows`). Repairs go on, so does "
        "what only follows a site, and a commit that does not hold is taken back, unless `windows.repairs` "
        "says otherwise.",
        "no windows: always open",
        "Nothing: it goes on in the next window. In an emergency, `otto override`.",
        lambda case: _closed(case, "site", case.policy.site.windows),
    ),
    Rule(
        "guard.window.fleet",
        Effect.WAIT,
        "The same for the `windows` of the fleet's policy.",
        "no windows: always open",
        "Nothing: it goes on in the next window. In an emergency, `otto override`.",
        lambda case: _closed(case, "fleet", case.policy.fleet.windows),
    ),
)
