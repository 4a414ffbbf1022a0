"""What `--json` prints: plain data, as the schemas in `schemas/output` describe it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otto.cli import money
from otto.decide.plandata import plan_data, reason_data, verdict_data
from otto.model.canonical import Data, to_data
from otto.model.history import AuditRecord, Grant
from otto.model.pipeline import Pipeline
from otto.model.plan import Plan
from otto.model.rollout import RolloutStatus
from otto.model.run import Run
from otto.model.status import Condition, ConditionType, SiteStatus

if TYPE_CHECKING:
    from rich.console import Console

    from otto.adapters.specs.policycases import PolicyCases
    from otto.decide.policytest import PolicyResult
    from otto.model.host import LiveHost
    from otto.model.why import Why
    from otto.desk.chain import Chain
    from otto.desk.house import Way
    from otto.desk.inspecting import Inspected
    from otto.desk.saying import Said
    from otto.desk.seen import Seen
    from otto.desk.strays import Strays
    from otto.desk.tokens import Known, NewToken

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
        "rollout": rollout_data(status.rollout) if status.rollout else None,
        "held": [reason_data(reason) for reason in status.held],
        "conditions": conditions,
        "intents": [*sorted(intents)],
    }


def rollout_data(status: RolloutStatus) -> Document:
    """How a rollout stands; what is quarantined is told by the grants that hold, and only beside them."""
    data = _object(status)
    return {name: value for name, value in data.items() if name not in ("site", "quarantined", "actions")}


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
        "freezes": [to_data(grant) for grant in seen.freezes],
        "policy": seen.policy,
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


def pipelines_document(pipelines: Iterable[Pipeline]) -> Document:
    """What `otto pipelines list --json` prints, and `show` of one."""
    return {"pipelines": [to_data(pipeline) for pipeline in pipelines]}


def audit_document(records: Iterable[AuditRecord], chain: "Chain | None" = None) -> Document:
    """What `otto audit --json` prints."""
    return {"records": [_record_document(record) for record in records], "chain": to_data(chain)}


def _record_document(record: AuditRecord) -> Document:
    return {"number": record.number, **_object(record.entry), "before": record.before, "hash": record.hash}


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


def inspection_document(seen: "Inspected") -> Document:
    """What `otto diff --json` prints, and with a plan what `otto plan --json` does."""
    document: Document = {
        "site": seen.site,
        "commit": seen.commit,
        "digest": seen.digest,
        "differences": [to_data(item) for item in seen.differences],
    }
    if seen.plan is not None and seen.verdict is not None:
        document["plan"] = plan_document(seen.plan)
        document["verdict"] = verdict_data(seen.verdict)
    return document


def plan_document(plan: Plan) -> Document:
    """A plan, and what it is judged by; money as people count it."""
    document = plan_data(plan)
    about = to_data(plan.about)
    if isinstance(about, dict):
        document["about"] = {**about, "cost": money.change_data(plan.about.cost)}
    return document


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


def policy_test_document(read: "PolicyCases", results: "Iterable[PolicyResult]") -> Document:
    """What `otto policy test --json` prints."""
    cases: list[Data] = [
        {
            "name": item.case.name,
            "file": item.case.file,
            "line": item.case.line,
            "passed": item.passed,
            "expected": to_data(item.case.expected),
            "verdict": item.kind,
            "missing": [*item.missing],
            "reasons": [reason_data(reason) for reason in item.reasons],
        }
        for item in results
    ]
    return {"cases": cases, "problems": [to_data(problem) for problem in read.problems]}


def notify_document(ways: "Iterable[Way]", *, tested: bool) -> Document:
    """What `otto notify --json` prints."""
    found: list[Data] = [
        {"way": item.way, "sent": tested and not item.trouble, "trouble": item.trouble} for item in ways
    ]
    return {"tested": tested, "ways": found}


def tokens_document(tokens: "Iterable[Known]") -> Document:
    """What `otto token list --json` prints."""
    return {"tokens": [to_data(token) for token in tokens]}


def token_document(token: "Known") -> Document:
    """What `otto token revoke --json` prints."""
    return {"token": to_data(token)}


def new_token_document(made: "NewToken", file: str | None) -> Document:
    """What `otto token create --json` prints; the secret only where no file has it."""
    return {"token": to_data(made.token), "secret": None if file else made.secret, "file": file}


def write_line(console: "Console", document: object) -> None:
    """Print JSON in one line, escaped as `write` does."""
    console.print(json.dumps(document, ensure_ascii=True), soft_wrap=True)


def write(console: "Console", document: object) -> None:
    """Print JSON, escaped to ASCII so that nothing in it can steer a terminal."""
    console.print(json.dumps(document, indent=2, ensure_ascii=True), soft_wrap=True)
