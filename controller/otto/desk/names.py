"""Names of sites: which there are, and what to say of one there is not."""

import difflib
from collections.abc import Iterable

from otto.desk.sources import StatusSource
from otto.model.domain import is_zone
from otto.model.errors import UnseenError


async def names_in(store: StatusSource) -> frozenset[str]:
    """Sites and zones with a status or a remembered spec."""
    statuses = {status.site for status in await store.statuses()}
    return frozenset({*statuses, *await store.remembered(), *await store.remembered_domains()})


def require(site: str, names: Iterable[str]) -> None:
    """Insist that a site is known.

    Raises:
        UsageError: it is not; the mend names those that are close, or all.
    """
    known = sorted(names)
    if site in known:
        return
    close = difflib.get_close_matches(site, known, 3)
    mend = f"did you mean {' or '.join(close)}?" if close else f"sites: {', '.join(known[:20]) or 'none yet'}"
    noun = "zone" if is_zone(site) else "site"
    raise UnseenError(f"there is no {noun} {site[:80]!r}", mend=mend)


async def require_known(site: str, store: StatusSource) -> None:
    """Insist that a site is known to a store.

    Raises:
        UsageError: it is not.
    """
    known = await store.domain(site) if is_zone(site) else await store.spec(site)
    if known is None and await store.status(site) is None:
        require(site, await names_in(store))
