"""What `--json` prints: plain data, as the schemas in `schemas/output` describe it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otto.cli import money
from otto.model.canonical import Data, to_data
from otto.model.history import AuditRecord, Grant
from otto.model.plan import Plan
from otto.model.run import Run
from otto.model.status import Condition, ConditionType, SiteStatus
from otto.model.verdict import Allowed, NeedsApproval, Reason, Verdict, Waiting

if TYPE_CHECKING:
    from rich.console import Console

    from otto.cli.chain import Chain
    from otto.cli.seen import Seen
    from otto.cli.speaking import Said
    from otto.cli.strays import Strays
    from otto.model.host import LiveHost
    from otto.model.why import Why
    from otto.reconcile.inspect import Inspection

Document = dict[str, Data]


def site_document(status: SiteStatus, intents: Iterable[str] = ()) -> Document:
    """One site's status."""
    data = _object(status)
    name = data.pop("site")
    del data["currency"]  # stands with the cost
    conditions = [to_data(condition) for condition in in_order(status.conditions.values())]
    return {
        "name": name,
        "ready": status.ready,
        **data,
        "cost": money.priced_data(status.cost, status.currency),
        "held": _reasons(status.held),
        "conditions": conditions,
        "intents": [*sorted(intents)],
    }


def in_order(conditions: Iterable[Condition]) -> list[Condition]:
    """Conditions in the order of their types: what a later one needs comes first."""
    types = list(ConditionType)
    return sorted(conditions, key=lambda condition: types.index(condition.type))


def status_document(seen: "Seen") -> Document:
    """What `otto status --json` prints."""
    controller = seen.around.controller
    return {
        "sites": [site_document(status, seen.asked_for(status.site)) for status in seen.statuses],
        "orphans": [to_data(host) for host in seen.orphans],
        "problems": [to_data(problem) for problem in seen.problems],
        "source": dict(seen.source) if seen.source else None,
        "controller": {
            "running": controller is not None,
            "pid": controller.pid if controller else None,
            "version": controller.version if controller else None,
        },
    }


def runs_document(runs: Iterable[Run]) -> Document:
    """What `otto history --json` prints."""
    return {"runs": [to_data(run) for run in runs]}


def audit_document(records: Iterable[AuditRecord], chain: "Chain | None" = None) -> Document:
    """What `otto audit --json` prints."""
    return {"records": [_record_document(record) for record in records], "chain": to_data(chain)}


def _record_document(record: AuditRecord) -> Document:
    entry = to_data(record.entry)
    if not isinstance(entry, dict):
        raise TypeError("an entry is an object")
    return {"number": record.number, **entry, "before": record.before, "hash": record.hash}


def why_document(answer: "Why") -> Document:
    """What `otto why --json` prints."""
    return _object(answer)


def orphans_document(found: "Strays") -> Document:
    """What `otto orphans --json` prints."""
    return {
        "orphans": [_stray(found, host) for host in found.orphans],
        "unjudged": [*sorted(found.unjudged)],
        "cost": money.priced_data(found.together(), found.currency),
    }


def reap_document(left: "Strays", gone: Iterable["LiveHost"]) -> Document:
    """What `otto reap --json` prints."""
    return {
        "reaped": [_stray(left, host) for host in gone],
        "orphans": [_stray(left, host) for host in left.orphans],
        "unjudged": [*sorted(left.unjudged)],
    }


def _stray(found: "Strays", host: "LiveHost") -> Document:
    return {**_object(host), "cost": money.priced_data(found.cost(host), found.currency)}


def inspection_document(seen: "Inspection") -> Document:
    """What `otto diff --json` prints, and with a plan what `otto plan --json` does."""
    document: Document = {
        "site": seen.desired.site,
        "commit": seen.desired.commit,
        "digest": seen.desired.digest,
        "differences": [to_data(item) for item in seen.differences],
    }
    if seen.plan is not None and seen.verdict is not None:
        document["plan"] = plan_document(seen.plan)
        document["verdict"] = verdict_document(seen.verdict)
    return document


def plan_document(plan: Plan) -> Document:
    """A plan, and what it is judged by."""
    about = plan.about
    return {
        "digest": plan.digest,
        "steps": [to_data(step) for step in plan.steps],
        "about": {
            "provider": about.provider,
            "hosts": to_data(about.hosts),
            "causes": [*about.causes],
            "drifted": [*about.drifted],
            "mends": [*about.mends],
            "sizes": [*about.sizes],
            "cost": money.change_data(about.cost),
            "removing": about.removing.value,
        },
    }


def verdict_document(verdict: Verdict) -> Document:
    """What the guard says."""
    document: Document = {
        "kind": type(verdict).__name__,
        "reasons": [],
        "warnings": [],
        "behind": [],
        "given": 0,
        "wanted": 0,
        "until": None,
    }
    if isinstance(verdict, Allowed):
        return document | {"warnings": _reasons(verdict.warnings)}
    document["reasons"] = _reasons(verdict.reasons)
    if isinstance(verdict, NeedsApproval):
        return document | {"given": verdict.given, "wanted": verdict.wanted}
    document["behind"] = _reasons(verdict.behind)
    if isinstance(verdict, Waiting):
        document["until"] = to_data(verdict.until)
    return document


def _reasons(reasons: Iterable[Reason]) -> list[Data]:
    """Reasons, their effects by name: the numbers say only which is stricter."""
    return [{**_object(reason), "effect": reason.effect.name.lower()} for reason in reasons]


def _object(value: object) -> Document:
    data = to_data(value)
    if not isinstance(data, dict):
        raise TypeError(f"{type(value).__name__} is no object")
    return data


def grants_document(grants: Iterable[Grant]) -> Document:
    """What `otto grants --json` prints."""
    return {"grants": [to_data(grant) for grant in grants]}


def said_document(said: "Said") -> Document:
    """What `otto approve --json` prints, and the other commands by which people speak to the guard."""
    saying = said.saying
    return {
        "what": saying.entry.what,
        "site": saying.entry.site,
        "given": to_data(saying.given),
        "taken": [to_data(grant) for grant in saying.taken],
        "record": said.record.number,
        "heard": said.heard.value,
        "message": "; ".join([saying.message, *saying.more]),
    }


def write(console: "Console", document: object) -> None:
    """Print JSON, escaped to ASCII so that nothing in it can steer a terminal."""
    console.print(json.dumps(document, indent=2, ensure_ascii=True), soft_wrap=True)
