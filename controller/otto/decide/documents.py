"""What OttO tells as plain data: on the command line with `--json`, and by HTTP.

The schemas in `schemas/output` describe it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from otto.decide.plandata import plan_data, reason_data
from otto.model.canonical import Data, to_data
from otto.model.cost import Cost, CostChange
from otto.model.history import AuditRecord, Grant
from otto.model.pipeline import Pipeline
from otto.model.plan import Plan
from otto.model.reading import read
from otto.model.rollout import RolloutStatus
from otto.model.run import Run
from otto.model.saying import Saying
from otto.model.status import Condition, ConditionType, SiteStatus, Truth
from otto.model.verdict import Reason
from otto.model.why import Why

Document = dict[str, Data]

# Sums of binary fractions end in a stray digit far behind these.
_DIGITS = 9


def site_document(status: SiteStatus, intents: Iterable[str] = ()) -> Document:
    """One site's status."""
    return site_document_of(object_data(status), intents)


def site_document_of(kept: Mapping[str, Any], intents: Iterable[str] = ()) -> Document:
    """One site's status, out of plain data that `to_data` made of one.

    Making it from what the store keeps, without the status in between, takes a fifth of the time.

    Args:
        kept: all fields of a `SiteStatus`, as plain data.
        intents: what people want of the site.
    """
    conditions: Mapping[str, Any] = kept["conditions"]
    ready = conditions.get(ConditionType.READY.value)
    data = {name: value for name, value in kept.items() if name not in ("site", "currency")}
    rollout = kept["rollout"]
    return {
        "name": kept["site"],
        "ready": ready is not None and ready["status"] == Truth.TRUE.value,
        **data,
        "cost": priced_data(read(Cost, kept["cost"]), kept["currency"]) if kept["cost"] else None,
        "rollout": _rollout_of(rollout) if rollout else None,
        "held": [reason_data(read(Reason, reason)) for reason in kept["held"]],
        "conditions": sorted(conditions.values(), key=_place),
        "intents": [*sorted(intents)],
    }


_PLACES = {kind.value: number for number, kind in enumerate(ConditionType)}


def _place(condition: Mapping[str, Any]) -> int:
    return _PLACES[condition["type"]]


def rollout_data(status: RolloutStatus) -> Document:
    """How a rollout stands; what is quarantined is told by the grants that hold, and only beside them."""
    return _rollout_of(object_data(status))


def _rollout_of(data: Mapping[str, Any]) -> Document:
    return {name: value for name, value in data.items() if name not in ("site", "quarantined", "actions")}


def in_order(conditions: Iterable[Condition]) -> list[Condition]:
    """Conditions in the order of their types: what a later one needs comes first."""
    types = list(ConditionType)
    return sorted(conditions, key=lambda condition: types.index(condition.type))


def runs_document(runs: Iterable[Run]) -> Document:
    """What `otto history --json` prints."""
    return {"runs": [to_data(run) for run in runs]}


def pipelines_document(pipelines: Iterable[Pipeline]) -> Document:
    """What `otto pipelines list --json` prints, and `show` of one."""
    return {"pipelines": [to_data(pipeline) for pipeline in pipelines]}


def record_document(record: AuditRecord) -> Document:
    """One record of the audit record."""
    entry = object_data(record.entry)
    return {"number": record.number, **entry, "before": record.before, "hash": record.hash}


def why_document(answer: Why) -> Document:
    """What `otto why --json` prints."""
    return object_data(answer)


def plan_document(plan: Plan) -> Document:
    """A plan, and what it is judged by; money as people count it."""
    document = plan_data(plan)
    about = to_data(plan.about)
    if isinstance(about, dict):
        document["about"] = {**about, "cost": change_data(plan.about.cost)}
    return document


def grants_document(grants: Iterable[Grant]) -> Document:
    """What `otto grants --json` prints."""
    return {"grants": [to_data(grant) for grant in grants]}


def said_data(saying: Saying, record: AuditRecord, heard: str) -> Document:
    """What `otto approve --json` prints, and the other commands by which people speak to the guard.

    Args:
        saying: what was said.
        record: its place in the audit record.
        heard: whether a controller heard of it: `yes`, `nobody` or `silent`.
    """
    return {
        "what": saying.entry.what,
        "site": saying.entry.site,
        "given": to_data(saying.given),
        "taken": [to_data(grant) for grant in saying.taken],
        "record": record.number,
        "heard": heard,
        "message": "; ".join([saying.message, *saying.more]),
    }


def cost_data(cost: Cost) -> Document:
    """A cost as plain data."""
    return {
        "hourly": round(cost.hourly, _DIGITS),
        "monthly": round(cost.monthly, _DIGITS),
        "unknown": [*cost.unknown],
    }


def priced_data(cost: Cost | None, currency: str) -> Data:
    """A cost with its currency as plain data; None stays None."""
    return None if cost is None else {**cost_data(cost), "currency": currency}


def change_data(change: CostChange | None) -> Data:
    """What a plan makes of the cost, as plain data."""
    if change is None:
        return None
    return {
        "before": cost_data(change.before),
        "after": cost_data(change.after),
        "added": round(change.added, _DIGITS),
        "unknown": [*change.unknown],
        "currency": change.currency,
    }


def object_data(value: object) -> Document:
    """A value of the model as an object.

    Raises:
        TypeError: it is none.
    """
    data = to_data(value)
    if not isinstance(data, dict):
        raise TypeError(f"{type(value).__name__} is no object")
    return data
