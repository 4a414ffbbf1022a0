"""When the life of a site ends."""

from datetime import datetime

from otto.decide.expiry import expiry
from otto.model.history import GrantKind
from otto.model.policy import FleetPolicy
from otto.ports import Store


async def end_of(store: Store, site: str, fleet: FleetPolicy, now: datetime) -> datetime | None:
    """When a site's time to live is over, None for never; a tombstone is another matter.

    Args:
        store: what OttO remembers.
        site: its name.
        fleet: the policy of the fleet, which may set an end for the site's labels.
        now: the time.
    """
    known = (await store.remembered()).get(site)
    if known is None:
        return None
    grants = await store.ledger.grants(site=site, kind=GrantKind.EXTEND)
    end = expiry(known.spec, fleet, (await store.applied(site)).born, grants, now)
    return end.at if end else None
