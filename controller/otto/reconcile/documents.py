"""What looks at the world found, as plain data; the schemas in `schemas/output` describe it."""

from collections.abc import Iterable
from typing import Protocol

from otto.decide.documents import Document, object_data, plan_document, priced_data
from otto.decide.plandata import verdict_data
from otto.model.canonical import to_data
from otto.model.difference import Difference
from otto.model.host import LiveHost
from otto.model.plan import Plan
from otto.model.verdict import Verdict
from otto.reconcile.strays import Strays


class Looked(Protocol):
    """A site that was looked at, here or elsewhere."""

    @property
    def site(self) -> str:
        """Its name."""

    @property
    def commit(self) -> str:
        """Where its spec comes from."""

    @property
    def digest(self) -> str:
        """Of what is desired."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is not as desired."""

    @property
    def plan(self) -> Plan | None:
        """What would be done about it, where that was asked for."""

    @property
    def verdict(self) -> Verdict | None:
        """What the guard would say of that."""


def inspection_document(seen: Looked) -> Document:
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


def orphans_document(found: Strays) -> Document:
    """What `otto orphans --json` prints."""
    return {
        "orphans": [stray_document(found, host) for host in found.orphans],
        "unjudged": [*sorted(found.unjudged)],
        "cost": priced_data(found.together(), found.currency),
    }


def reap_document(left: Strays, gone: Iterable[LiveHost]) -> Document:
    """What `otto reap --json` prints."""
    return {
        "reaped": [stray_document(left, host) for host in gone],
        "orphans": [stray_document(left, host) for host in left.orphans],
        "unjudged": [*sorted(left.unjudged)],
    }


def stray_document(found: Strays, host: LiveHost) -> Document:
    """One orphan."""
    return {**object_data(host), "cost": priced_data(found.cost(host), found.currency)}
