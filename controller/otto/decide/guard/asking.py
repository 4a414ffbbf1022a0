"""When people are asked: what their policy says of destroying, replacing, and of every change."""

from collections.abc import Iterator

from otto.decide.guard.exposure import last_copies
from otto.decide.guard.rule import Case, Rule, names
from otto.model.history import GrantKind
from otto.model.plan import Action, ActionKind, Removing
from otto.model.verdict import Effect, Reason


def _always(case: Case) -> Iterator[Reason]:
    if case.policy.site.approval != "always" or case.idle or case.removing is Removing.PERSON:
        return
    yield Reason(
        "guard.approval.always", f"the {case.noun}'s policy asks for approval of every change", case.approve
    )


def _unasked(case: Case, kind: ActionKind) -> Iterator[Action]:
    if case.policy.site.approval != "auto":
        yield from (action for action in case.takes if action.kind is kind and not action.asked)


def _destroy(case: Case) -> Iterator[Reason]:
    if found := tuple(_unasked(case, ActionKind.DESTROY)):
        message = f"the plan would destroy {names(found)}{_because(found)}, which nobody asked for"
        yield Reason("guard.destroy", message, case.approve, figures={"destroyed": str(len(found))})


def _replace(case: Case) -> Iterator[Reason]:
    # What a rollout made anew, and takes back since it does not hold, was allowed with it.
    undoing = case.plan.about.undoing
    if found := tuple(item for item in _unasked(case, ActionKind.REPLACE) if item.host not in undoing):
        message = f"the plan would replace living hosts: {names(found)}{_because(found)}"
        yield Reason("guard.replace", message, case.approve, figures={"replaced": str(len(found))})


def _because(actions: tuple[Action, ...]) -> str:
    changed = sorted({name for action in actions for name in action.changed})
    return f" because of {', '.join(changed)}" if changed else ""


def _last_copy(case: Case) -> Iterator[Reason]:
    if case.policy.site.approval == "auto" or case.removing:
        return
    last = last_copies(case.takes, case.repairs, case.plan.about.hosts)
    for role in sorted({case.plan.about.hosts[name] for name in last}):
        lost = sorted(name for name in last if case.plan.about.hosts[name] == role)
        message = f"the plan touches every living {role} of the site: {', '.join(lost[:4])}"
        yield Reason(
            "guard.last-copy", message, case.approve, figures={"role": role, "hosts": str(len(lost))}
        )


def _second_person(case: Case) -> Iterator[Reason]:
    if case.removing is Removing.PERSON and case.policy.site.approvers > 1:
        message = f"taking the {case.noun} down needs {case.policy.site.approvers} people, as its policy says"
        yield Reason("guard.destroy.approvers", message, case.approve)


def _rejected(case: Case) -> Iterator[Reason]:
    for grant in case.grants(GrantKind.REJECT):
        if grant.plan == case.plan.digest:
            why = f": {grant.reason}" if grant.reason else ""
            message = f"{grant.by} rejected this very plan{why}"
            mend = f"change the spec, or take the rejection back: {case.approve}"
            yield Reason("guard.rejected", message, mend, Effect.REFUSE)


RULES = (
    Rule(
        "guard.rejected",
        Effect.REFUSE,
        "Somebody rejected this very plan (`otto reject`), whatever was approved.",
        "not rejected",
        "Change the spec; or approve the plan after all, which takes the rejection back.",
        _rejected,
    ),
    Rule(
        "guard.approval.always",
        Effect.ASK,
        "Any change, where the spec says `policy.approval: always`. Not what `otto destroy` asks for, which "
        "a person said already.",
        "`policy.approval: destructive`, which does not ask for this",
        "Approve the plan.",
        _always,
    ),
    Rule(
        "guard.destroy",
        Effect.ASK,
        "Something living would be destroyed, and no lower count asks for it. Not with `policy.approval: "
        "auto`, and not where the whole site is to go.",
        "asks",
        "Approve the plan, or change the spec.",
        _destroy,
    ),
    Rule(
        "guard.replace",
        Effect.ASK,
        "Living hosts would be replaced, also where the spec names another image or size. Not with "
        "`policy.approval: auto`.",
        "asks",
        "Approve the plan, or change the spec.",
        _replace,
    ),
    Rule(
        "guard.last-copy",
        Effect.ASK,
        "Every living host of one role would be taken away or replaced. Not with `policy.approval: auto`, "
        "and not where the whole site is to go.",
        "asks",
        "Approve the plan, or leave one.",
        _last_copy,
    ),
    Rule(
        "guard.destroy.approvers",
        Effect.ASK,
        "A site is to be taken down by `otto destroy`, and `policy.approvers` wants more than one person.",
        "`policy.approvers: 1`, which does not ask for this",
        "Have as many different people approve the plan.",
        _second_person,
    ),
)
