"""What looks at the world found, as plain data; the schemas in `schemas/output` describe it."""

from collections.abc import Iterable

from otto.decide.documents import Document, object_data, plan_document, priced_data
from otto.decide.plandata import verdict_data
from otto.model.canonical import to_data
from otto.model.host import LiveHost
from otto.reconcile.inspect import Inspection
from otto.reconcile.strays import Strays


def inspection_document(seen: Inspection) -> Document:
    """What `otto diff --json` prints, and with a plan what `otto plan --json` does."""
    document: Document = {
        "site": seen.desired.site,
        "commit": seen.desired.commit,
        "digest": seen.desired.digest,
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
