"""When the life of a site ends."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from otto.model.history import Grant, GrantKind
from otto.model.policy import Policy
from otto.ports import Store


async def end_of(store: Store, site: str) -> datetime | None:
    """When a site is taken down, None for never.

    What its spec says counts; an end that the fleet's policy sets for its labels is the one that the
    controller wrote into its status.

    Args:
        store: what OttO remembers.
        site: its name.
    """
    known = (await store.remembered()).get(site)
    status = await store.status(site)
    grants = await store.ledger.grants(site=site, kind=GrantKind.EXTEND)
    own = _own_end(known.spec.policy, (await store.applied(site)).born) if known else None
    return _latest(own or (status.ends_at if status else None), grants)


def _own_end(policy: Policy, born: datetime | None) -> datetime | None:
    by_ttl = born + timedelta(seconds=policy.ttl) if born and policy.ttl is not None else None
    return min((at for at in (policy.until, by_ttl) if at), default=None)


def _latest(end: datetime | None, grants: Iterable[Grant]) -> datetime | None:
    return max([end, *(grant.until for grant in grants if grant.until)]) if end else None
