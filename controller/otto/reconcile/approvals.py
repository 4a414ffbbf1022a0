"""A person's yes or no to the plan that a site waits with, found in the store."""

from otto.decide import approval
from otto.decide.approval import Held
from otto.model.history import Grant
from otto.model.policy import Policy
from otto.model.saying import Saying, Speaker
from otto.ports import Store

# How far back a digest is looked for, to call it out of date.
_RUNS = 50


async def approve(store: Store, site: str, digest: str, speaker: Speaker, note: str) -> Saying:
    """What somebody's yes to a plan is; nothing is in force before it is said (`otto.reconcile.saying`).

    Args:
        store: where from.
        site: which site.
        digest: digits that the plan's digest begins with.
        speaker: who says it.
        note: why, in their words.

    Raises:
        UsageError: no such plan waits, or no approval of theirs helps it.
    """
    policy, plan, grants = await _held(store, site, digest)
    return approval.approve(plan, policy, grants, speaker, note)


async def reject(store: Store, site: str, digest: str, speaker: Speaker, note: str) -> Saying:
    """What somebody's no to a plan is; as `approve`.

    Raises:
        UsageError: no such plan waits, or it is rejected already.
    """
    _, plan, grants = await _held(store, site, digest)
    return approval.reject(plan, grants, speaker, note)


async def _held(store: Store, site: str, digest: str) -> tuple[Policy, Held, tuple[Grant, ...]]:
    """The site's policy, the plan that is held up, and what people said of the site."""
    known = await store.spec(site)
    policy = known.spec.policy if known else Policy()
    runs = await store.runs(site, _RUNS)
    plan = approval.held(await store.status(site), runs, site, digest.strip().lower(), policy)
    return policy, plan, await store.ledger.grants(site=site)
