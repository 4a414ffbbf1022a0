"""When the life of a site ends."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from otto.cli.ledgers import Memory
from otto.model.history import Grant, GrantKind
from otto.model.policy import Policy


async def end_of(memory: Memory, site: str, now: datetime) -> datetime | None:  # noqa: ARG001  (expiry wants it)
    """When a site is taken down, None for never.

    Args:
        memory: what OttO remembers.
        site: its name.
        now: the time.
    """
    known = (await memory.remembered()).get(site)
    if known is None:
        return None
    grants = await memory.ledger.grants(site=site, kind=GrantKind.EXTEND)
    return _end(known.spec.policy, (await memory.applied(site)).born, grants)


def _end(policy: Policy, born: datetime | None, grants: Iterable[Grant]) -> datetime | None:
    by_ttl = born + timedelta(seconds=policy.ttl) if born and policy.ttl is not None else None
    ends = [at for at in (policy.until, by_ttl) if at]
    if not ends:
        return None
    return max([min(ends), *(grant.until for grant in grants if grant.until)])
