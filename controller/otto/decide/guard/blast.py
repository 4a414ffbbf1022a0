"""How much goes at once, in one plan and in all plans of a while: of one site, and of the fleet."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from otto.decide.guard.exposure import last_copies, weight
from otto.decide.guard.rule import Case, Rule, figure, names
from otto.model.domain import is_zone
from otto.model.duration import in_words
from otto.model.history import Removal
from otto.model.plan import Action, Removing
from otto.model.verdict import Effect, Reason

# Of fewer hosts than this, one that is changed is a large share already.
_SMALL_FLEET = 10


def weights(case: Case, actions: Iterable[Action]) -> dict[str, float]:
    """What each action of a plan weighs, by the host or the address."""
    # Who takes a whole site down has said so: its hosts count one by one.
    about = case.plan.about
    last = frozenset[str]() if case.removing else last_copies(case.takes, case.repairs, about.hosts)
    return {action.host or action.address: weight(action, last) for action in actions}


def _count(case: Case) -> Iterator[Reason]:
    limit = case.policy.limits.count
    total = sum(weights(case, case.loses).values())
    if not case.removing and total > limit:
        weighs = f"{figure(total)} of {figure(limit)} allowed"
        message = f"the plan takes away {names(case.loses)}, which weighs {weighs}"
        yield _ask("guard.destroy.count", message, case, total, limit)


def _share(case: Case) -> Iterator[Reason]:
    limit, hosts = case.policy.limits.share, len(case.plan.about.hosts)
    taken = sum(1 for action in case.takes if action.host)
    if case.removing or not hosts or taken / hosts <= limit:
        return
    message = f"the plan takes away {taken} of {hosts} hosts, more than {limit:.0%}"
    yield _ask("guard.destroy.share", message, case, taken / hosts, limit)


def _repairs(case: Case) -> Iterator[Reason]:
    limit = case.policy.limits.repair_count
    if len(case.repairs) > limit:
        message = f"the plan makes {len(case.repairs)} hosts anew, more than {limit}: are they really dead?"
        yield _ask("guard.repair.count", message, case, len(case.repairs), limit)


def _window(case: Case) -> Iterator[Reason]:
    limits = case.policy.limits
    own = [item for item in _recent(case, limits.window) if item.site == case.plan.site]
    added = sum(weights(case, (*case.loses, *case.repairs)).values())
    total = added + sum(item.weight for item in own)
    if case.removing or not added or total <= limits.window_count:
        return
    message = (
        f"with what was taken away or made anew in the last {in_words(limits.window)}, the plan comes to "
        f"{figure(total)} of {figure(limits.window_count)} allowed"
    )
    yield _ask("guard.window.count", message, case, total, limits.window_count)


def _fleet(case: Case) -> Iterator[Reason]:
    limits = case.policy.fleet.limits
    zone = is_zone(case.plan.site)
    most = limits.count if zone else max(limits.count, limits.share * case.history.fleet.hosts)
    added = sum(weights(case, case.loses).values())
    # Hosts are added up with hosts, records of all zones with records.
    alike = (item for item in _recent(case, limits.window) if is_zone(item.site) is zone)
    total = added + sum(item.weight for item in alike if item.kind.takes)
    # Who typed a site's name, or that all are to go, has counted them.
    if added and total > most and case.removing is not Removing.PERSON:
        message = (
            f"with what all {case.noun}s lost in the last {in_words(limits.window)}, the plan comes to "
            f"{figure(total)} of {figure(most)} allowed for the fleet"
        )
        yield _ask("guard.fleet.count", message, case, total, most)


def _changing(case: Case) -> Iterator[Reason]:
    fleet, limit = case.history.fleet, case.policy.fleet.limits.changing
    hosts = {host for step in case.plan.steps for host in step.hosts}
    if case.only_mends or not hosts or not fleet.changing or fleet.hosts <= _SMALL_FLEET:
        return
    share = (fleet.changing + len(hosts)) / fleet.hosts
    if share > limit:
        message = (
            f"{fleet.changing} hosts of other sites are being changed; with {len(hosts)} more it would be "
            f"{share:.0%} of the fleet, more than {limit:.0%}"
        )
        figures = {"share": f"{share:.2f}", "limit": figure(limit)}
        mend = "it goes on by itself when the others are done"
        yield Reason("guard.fleet.changing", message, mend, Effect.WAIT, figures)


def _recent(case: Case, seconds: float) -> Iterator[Removal]:
    since = case.now - timedelta(seconds=seconds)
    return (item for item in case.history.removals if item.at > since)


def _ask(rule: str, message: str, case: Case, have: float, limit: float) -> Reason:
    figures = {"have": figure(have), "limit": figure(limit)}
    return Reason(rule, message, case.approve, Effect.ASK, figures)


RULES = (
    Rule(
        "guard.destroy.count",
        Effect.ASK,
        "What one plan destroys, replaces or scales in, by weight; of a zone, the record sets that it "
        "removes and that do not leave with their site. With every `policy.approval`; not where the whole "
        "site is to go.",
        "`limits.count: 3`",
        "Approve the plan, or raise the limit with a reason.",
        _count,
    ),
    Rule(
        "guard.destroy.share",
        Effect.ASK,
        "The share of the site's hosts that one plan destroys, replaces or scales in. With every "
        "`policy.approval`; not where the whole site is to go.",
        "`limits.share: 0.5`",
        "Approve the plan, or raise the limit with a reason.",
        _share,
    ),
    Rule(
        "guard.repair.count",
        Effect.ASK,
        "How many hosts one plan makes anew since they are dead.",
        "`limits.repairCount: 10`",
        "Approve the plan when they are dead, or see why they seem to be.",
        _repairs,
    ),
    Rule(
        "guard.window.count",
        Effect.ASK,
        "What all plans of the site within `limits.window` took away or made anew, by weight, this one "
        "included. Not where the whole site is to go.",
        "`limits.windowCount: 12`, `limits.window: 1h`",
        "Approve the plan, or wait.",
        _window,
    ),
    Rule(
        "guard.fleet.count",
        Effect.ASK,
        "What all sites together lost within the fleet's `limits.window`, by weight, this plan included and "
        "repairs left out, where that is more than `limits.count` and than `limits.share` of all hosts; and "
        "the same of the record sets of all zones together, where that is more than `limits.count`. Not "
        "where a person takes a site down (`otto destroy`).",
        "`limits.count: 12`, `limits.share: 0.34`, `limits.window: 1h` of the fleet's policy",
        "Approve the plan, or wait.",
        _fleet,
    ),
    Rule(
        "guard.fleet.changing",
        Effect.WAIT,
        "The share of all hosts that would be changed at once, while other sites are being changed. Repairs "
        "do not wait, nor does anything in a fleet of ten hosts or fewer.",
        "`limits.changing: 0.5` of the fleet's policy",
        "Nothing: it goes on when the others are done.",
        _changing,
    ),
)
