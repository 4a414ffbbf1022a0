"""What `--json` prints: plain data, as the schemas in `schemas/output` describe it."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otto.decide.documents import (
    Document,
    grants_document,
    in_order,
    pipelines_document,
    plan_document,
    record_document,
    rollout_data,
    runs_document,
    said_data,
    site_document,
    why_document,
)
from otto.decide.plandata import reason_data
from otto.model.canonical import Data, to_data
from otto.model.history import AuditRecord

if TYPE_CHECKING:
    from rich.console import Console

    from otto.adapters.notify import Outcome
    from otto.adapters.specs.policycases import PolicyCases
    from otto.cli.seen import Seen
    from otto.cli.speaking import Said
    from otto.decide.policytest import PolicyResult
    from otto.reconcile.chain import Chain

__all__ = [
    "Document",
    "audit_document",
    "grants_document",
    "in_order",
    "notify_document",
    "pipelines_document",
    "plan_document",
    "policy_test_document",
    "rollout_data",
    "runs_document",
    "said_document",
    "site_document",
    "status_document",
    "why_document",
    "write",
    "write_line",
]


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


def audit_document(records: Iterable[AuditRecord], chain: "Chain | None" = None) -> Document:
    """What `otto audit --json` prints."""
    return {"records": [record_document(record) for record in records], "chain": to_data(chain)}


def said_document(said: "Said") -> Document:
    """What `otto approve --json` prints, and the other commands by which people speak to the guard."""
    return said_data(said.saying, said.record, said.heard.value)


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


def notify_document(outcomes: "Iterable[Outcome]", *, tested: bool) -> Document:
    """What `otto notify --json` prints."""
    ways: list[Data] = [
        {"way": item.way, "sent": tested and not item.trouble, "trouble": item.trouble} for item in outcomes
    ]
    return {"tested": tested, "ways": ways}


def write_line(console: "Console", document: object) -> None:
    """Print JSON in one line, escaped as `write` does."""
    console.print(json.dumps(document, ensure_ascii=True), soft_wrap=True)


def write(console: "Console", document: object) -> None:
    """Print JSON, escaped to ASCII so that nothing in it can steer a terminal."""
    console.print(json.dumps(document, indent=2, ensure_ascii=True), soft_wrap=True)
