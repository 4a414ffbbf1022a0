"""Zones: who is asked before records change that much depends on, many at once, or the zone's own servers."""

from collections.abc import Iterable, Iterator

from otto.decide.guard.exposure import is_exposed
from otto.decide.guard.rule import ENDS, Case, Rule, figure, names
from otto.model.plan import RECORD, Action, ActionKind, Removing
from otto.model.verdict import Effect, Reason

# Of fewer record sets than this, one that is changed is a large share already (as octoDNS has it).
_SMALL_ZONE = 10
_APEX_NS = "@ NS"
_CHANGES = ENDS | {ActionKind.UPDATE}


def _records(case: Case, *kinds: ActionKind) -> tuple[Action, ...]:
    """Records that are changed so, without those that only follow a site: that was judged by itself."""
    followed = case.followed
    return tuple(
        action
        for action in case.plan.actions
        if action.type == RECORD and action.kind in kinds and action.address not in followed
    )


def _of_type(case: Case, kind: str) -> bool:
    return any(action.type == kind for action in case.plan.actions)


def _servers(case: Case) -> tuple[Action, ...]:
    """What changes of the zone's own nameservers; a zone that is made with them has none to lose."""
    if _of_type(case, "zone"):
        return ()
    return tuple(
        action
        for action in case.plan.actions
        if action.type == "delegation"
        or (action.type == RECORD and action.address == _APEX_NS and action.kind in _CHANGES)
    )


def _nameservers(case: Case) -> Iterator[Reason]:
    if found := _servers(case):
        message = f"the zone's nameservers would change ({names(found)}): all of it depends on them"
        yield Reason("guard.dns.nameservers", message, case.approve)


def _protected(case: Case) -> Iterator[Reason]:
    if case.policy.site.protect and (found := _servers(case)):
        message = f"the zone's nameservers would change ({names(found)}), and the zone is protected"
        mend = "take policy.protect out of its spec in a commit of its own, then change them"
        yield Reason("guard.dns.protect", message, mend, Effect.REFUSE)


def _dnssec(case: Case) -> Iterator[Reason]:
    if _of_type(case, "dnssec") and not _of_type(case, "zone"):
        message = (
            "the zone would be signed, or no longer be: until its parent says the same, it may not resolve"
        )
        yield Reason("guard.dns.dnssec", message, case.approve)


def _exposed(case: Case) -> Iterator[Reason]:
    if case.policy.site.approval == "auto" or case.removing is Removing.PERSON:
        return
    mended = frozenset(case.plan.about.zone.mended) if case.plan.about.zone else frozenset()
    found = [
        action for action in _records(case, *_CHANGES) if is_exposed(action) and action.address not in mended
    ]
    if found:
        message = f"records that much depends on would change: {names(found)}"
        yield Reason("guard.dns.exposed", message, case.approve)


def _updates(case: Case) -> Iterator[Reason]:
    found = _records(case, ActionKind.UPDATE)
    yield from _share(case, "guard.dns.updates", "change", found, case.policy.site.records.update)


def _deletes(case: Case) -> Iterator[Reason]:
    found = _records(case, ActionKind.DESTROY)
    yield from _share(case, "guard.dns.deletes", "remove", found, case.policy.site.records.delete)


def _share(case: Case, rule: str, verb: str, found: tuple[Action, ...], limit: float) -> Iterator[Reason]:
    managed = case.plan.about.zone.managed if case.plan.about.zone else 0
    if managed < _SMALL_ZONE or case.removing is Removing.PERSON or len(found) / managed <= limit:
        return
    message = f"the plan would {verb} {len(found)} of the zone's {managed} record sets, more than {limit:.0%}"
    figures = {"have": figure(len(found) / managed), "limit": figure(limit)}
    yield Reason(rule, message, case.approve, figures=figures)


def _emptied(case: Case) -> Iterator[Reason]:
    managed = case.plan.about.zone.managed if case.plan.about.zone else 0
    gone, made = _records(case, ActionKind.DESTROY), _records(case, ActionKind.CREATE)
    if gone and not made and len(gone) >= managed and case.removing is not Removing.PERSON:
        message = f"the plan would remove every record set that OttO has in the zone: {names(gone)}"
        yield Reason("guard.dns.emptied", message, case.approve, figures={"removed": str(len(gone))})


def _takeover(case: Case) -> Iterator[Reason]:
    taken: Iterable[str] = case.plan.about.zone.taken_over if case.plan.about.zone else ()
    found = tuple(action for action in case.plan.actions if action.address in frozenset(taken))
    if found:
        message = f"records that are somebody else's would become OttO's: {names(found)}"
        yield Reason("guard.dns.takeover", message, case.approve, figures={"taken": str(len(found))})


RULES = (
    Rule(
        "guard.dns.protect",
        Effect.REFUSE,
        "The nameservers of a protected zone (`policy.protect: true`) would be changed. What is removed of "
        "one, `guard.protect` refuses.",
        "not protected",
        "Take the flag out of the spec in a commit of its own, then change them.",
        _protected,
    ),
    Rule(
        "guard.dns.nameservers",
        Effect.ASK,
        "A zone's delegation, or the NS records of the zone itself, would be changed or removed. With every "
        "`policy.approval`; not where the zone is made with them.",
        "asks",
        "Approve the plan.",
        _nameservers,
    ),
    Rule(
        "guard.dns.dnssec",
        Effect.ASK,
        "A zone that is there would be signed, or no longer be. With every `policy.approval`.",
        "asks",
        "Approve the plan, when its parent has, or no longer has, its DS record.",
        _dnssec,
    ),
    Rule(
        "guard.dns.emptied",
        Effect.ASK,
        "Every record set that OttO has in a zone would be removed. With every `policy.approval`; not where "
        "a person gives the zone up (`otto destroy`), nor where records go since their sites do.",
        "asks",
        "Approve the plan, or see why the spec is empty.",
        _emptied,
    ),
    Rule(
        "guard.dns.takeover",
        Effect.ASK,
        "Record sets that OttO did not make would become its own (`policy.takeover: true`). With every "
        "`policy.approval`.",
        "asks",
        "Approve the plan.",
        _takeover,
    ),
    Rule(
        "guard.dns.exposed",
        Effect.ASK,
        "A commit changes or removes a record set of the apex or a wildcard, an MX or an NS record set. Not "
        "with `policy.approval: auto`, not where only the addresses of a site are followed, and not where "
        "what was wished before is put right again.",
        "asks",
        "Approve the plan.",
        _exposed,
    ),
    Rule(
        "guard.dns.updates",
        Effect.ASK,
        "The share of a zone's managed record sets that one plan changes, those that follow a site left out. "
        "With every `policy.approval`; not in a zone of fewer than 10.",
        "`policy.updateShare: 0.3`",
        "Approve the plan, or raise the share.",
        _updates,
    ),
    Rule(
        "guard.dns.deletes",
        Effect.ASK,
        "The same of removing them.",
        "`policy.deleteShare: 0.3`",
        "Approve the plan, or raise the share.",
        _deletes,
    ),
)
