"""What `--json` prints: plain data, as the schemas in `schemas/output` describe it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otto.decide.plandata import plan_data, verdict_data
from otto.model.canonical import Data, to_data
from otto.model.run import Run
from otto.model.status import Condition, ConditionType, SiteStatus

if TYPE_CHECKING:
    from rich.console import Console

    from otto.cli.seen import Seen
    from otto.model.host import LiveHost
    from otto.model.why import Why
    from otto.reconcile.inspect import Inspection

Document = dict[str, Data]


def site_document(status: SiteStatus, intents: Iterable[str] = ()) -> Document:
    """One site's status."""
    data = to_data(status)
    if not isinstance(data, dict):
        raise TypeError("a status is an object")
    name = data.pop("site")
    conditions = [to_data(condition) for condition in in_order(status.conditions.values())]
    return {
        "name": name,
        "ready": status.ready,
        **data,
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


def why_document(answer: "Why") -> Document:
    """What `otto why --json` prints."""
    data = to_data(answer)
    if not isinstance(data, dict):
        raise TypeError("an answer is an object")
    return data


def orphans_document(
    found: Iterable["LiveHost"], unjudged: Iterable[str], removed: "LiveHost | None"
) -> Document:
    """What `otto orphans --json` prints."""
    return {
        "orphans": [to_data(host) for host in found],
        "unjudged": [*unjudged],
        "removed": to_data(removed),
    }


def inspection_document(seen: "Inspection") -> Document:
    """What `otto diff --json` prints, and with a plan what `otto plan --json` does."""
    document: Document = {
        "site": seen.desired.site,
        "commit": seen.desired.commit,
        "digest": seen.desired.digest,
        "differences": [to_data(item) for item in seen.differences],
    }
    if seen.plan is not None and seen.verdict is not None:
        document["plan"] = plan_data(seen.plan)
        document["verdict"] = verdict_data(seen.verdict)
    return document


def write(console: "Console", document: object) -> None:
    """Print JSON, escaped to ASCII so that nothing in it can steer a terminal."""
    console.print(json.dumps(document, indent=2, ensure_ascii=True), soft_wrap=True)
