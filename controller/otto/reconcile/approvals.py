"""A person's yes or no to the plan that a site or zone waits with, found in the store."""

from typing import Protocol

from otto.decide import approval
from otto.decide.approval import Held
from otto.decide.dns.policy import as_policy
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.domain import is_zone
from otto.model.history import Grant
from otto.model.policy import Policy
from otto.model.saying import Saying, Speaker
from otto.ports import Store


class PolicySource(Protocol):
    """A part of the port `Store`."""

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""


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


async def policy_of(store: PolicySource, name: str) -> Policy:
    """What the last good spec of a site or zone lets OttO do by itself."""
    return policy_in(await store.domain(name) if is_zone(name) else await store.spec(name))


def policy_in(known: RememberedSpec | RememberedDomain | None) -> Policy:
    """The same, where that spec is at hand."""
    if known is None:
        return Policy()
    return known.spec.policy if isinstance(known, RememberedSpec) else as_policy(known.spec.policy)


async def _held(store: Store, site: str, digest: str) -> tuple[Policy, Held, tuple[Grant, ...]]:
    """The site's policy, the plan that is held up, and what people said of the site."""
    policy = await policy_of(store, site)
    runs = await store.runs(site, _RUNS)
    plan = approval.held(await store.status(site), runs, site, digest.strip().lower(), policy)
    return policy, plan, await store.ledger.grants(site=site)
