"""Reference of the guard's rules, from `otto.decide.guard.RULES`."""

from generator.page import code, joined, table
from otto.decide.guard import RULES
from otto.decide.guard.exposure import EXPOSED_RECORD, LAST_COPY
from otto.model.verdict import APPROVABLE, Effect

_INTRO = """\
# The guard's rules

Before a plan is carried out, the guard judges it: all of it, by all of these rules. A plan without a step
is asked only whether its hosts would be in the right place (`guard.place`), and so is every spec before
anything is planned for it. What the guard says is shown by `otto plan SITE`, and of a site that is held by
`otto why SITE`; it is on record: `otto audit SITE`.

What it is all for is told in [What OttO will never do without you](../explanation/safety.md). How figures
are set: those of a site [in its spec](site-spec.md#specpolicy), those of the fleet, and of sites that name
none of their own, [in the fleet's policy](fleet-policy.md)."""

_STRICTNESS = """\
## The order of strictness

Each rule has one effect. The strictest of all reasons makes the verdict; what would ask, or have to wait,
after that is told beside it, so that everything in the way is seen at once."""

_EFFECTS = (
    (Effect.WARN, "Allowed", "The plan is carried out, and people are told."),
    (Effect.ASK, "NeedsApproval", "People have to approve this very plan."),
    (Effect.WAIT, "Waiting", "Time, or somebody's word, has to let it go on; mostly not an approval."),
    (Effect.REFUSE, "Refused", "It cannot be carried out as it is; no approval changes that."),
)

_APPROVALS = """\
## What an approval answers

An approval is somebody's word that the plan of one digest may be carried out (`otto approve SITE DIGEST`).
It counts until it is as old as `policy.approvalExpiry` says, and for one run that succeeds. When as many
different people as `policy.approvers` says have approved the plan, nothing that asks holds it any more, a
[hook's](../how-to/policy-hook.md) reasons among them, nor does {approvable}. Whatever else waits goes on
waiting, and what is refused stays refused. It may be given early, while a plan waits for something else.
Names are compared without regard to case."""

_WEIGHTS = """\
## What weighs what

Counts are of weights: what visitors depend on most weighs most.

{table}

The weights of a plan's actions are added up in `guard.destroy.count`, `guard.window.count` and
`guard.fleet.count`; `guard.destroy.share`, `guard.repair.count` and `guard.fleet.changing` count hosts.
Where the whole site is to go, each host weighs 1. Record sets of a zone that leave with a site they follow
weigh nothing: the site's own going was judged."""

_RULES = """\
## The rules

In the order in which verdicts tell of them. `limits` are `policy.limits` of the site, or else `siteLimits`
of the fleet's policy."""

_HOOK = """\
A program of the operator's may add reasons of its own, named `hook.NAME`; where it cannot be asked,
`guard.hook` refuses ([Ask a program of your own](../how-to/policy-hook.md))."""


def render() -> str:
    """The page."""
    approvable = ", ".join(code(name) for name in sorted(APPROVABLE))
    weights = _WEIGHTS.format(table=_weights())
    approvals = _APPROVALS.format(approvable=approvable)
    return joined([_INTRO, _STRICTNESS, _effects(), approvals, weights, _RULES, _rules(), _HOOK])


def _effects() -> str:
    rows = [(_word(effect), code(verdict), words) for effect, verdict, words in _EFFECTS]
    return table(("effect", "verdict", "what that means"), rows)


def _weights() -> str:
    rows = [
        ("a host of which others of its role are left", "1"),
        ("each host of a role of which the plan takes all that live", f"{LAST_COPY:g}"),
        ("a DNS record of the apex, a wildcard, an MX or an NS record", f"{EXPOSED_RECORD:g}"),
        ("anything else", "1"),
    ]
    return table(("what is taken away", "weight"), rows)


def _rules() -> str:
    rows = [
        (code(rule.name), _word(rule.effect), rule.about, rule.default, rule.mend.rstrip("."))
        for rule in RULES
    ]
    return table(("rule", "effect", "what it looks at", "default", "what lets the plan go on"), rows)


def _word(effect: Effect) -> str:
    return effect.name.lower()
