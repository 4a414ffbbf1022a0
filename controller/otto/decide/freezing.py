"""Freezes: deletions held off by hand, or by OttO itself when desired state collapsed."""

from collections.abc import Iterable
from datetime import datetime

from otto.model.canonical import to_data
from otto.model.errors import UsageError
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.saying import Saying, Speaker


def freeze(
    site: str, until: datetime | None, grants: Iterable[Grant], speaker: Speaker, reason: str
) -> Saying:
    """Nothing is taken away any more: of a site, or of any.

    A freeze that is in force is only ever made longer: to end it sooner is to thaw.

    Args:
        site: which; "" for all.
        until: when it ends by itself, None for never.
        grants: what people said.
        speaker: who says it.
        reason: why, in their words.

    Raises:
        UsageError: what is in force lasts longer.
    """
    for before in _freezes(grants, site, speaker.at):
        if not before.origin and _sooner(until, before.until):
            raise UsageError(
                f"{_what(site)} is frozen for longer already, by {before.by}: {before.reason}",
                mend=f"to end that sooner: {command(site)}",
            )
    grant = Grant(GrantKind.FREEZE, site, speaker.name, speaker.at, until, reason)
    summary = f"nothing of {site or 'any site'} is taken away"
    detail = {"as": speaker.account} | ({"until": str(to_data(until))} if until else {})
    entry = AuditEntry(speaker.at, speaker.name, "freeze", site, "", summary, reason, detail)
    return Saying(entry, grant, tightens=True, message=summary, more=(f"to end that: {command(site)}",))


def thaw(site: str, grants: Iterable[Grant], speaker: Speaker, reason: str) -> Saying:
    """Take back the freezes of a site, or those of all sites. Either leaves the other as it is.

    Args:
        site: which; "" for that of all.
        grants: what people said.
        speaker: who says it.
        reason: why, in their words.

    Raises:
        UsageError: there is no such freeze.
    """
    grants = tuple(grants)
    ended = _freezes(grants, site, speaker.at)
    others = others_than(site, grants, speaker.at)
    if not ended:
        raise _not_frozen(site, others)
    held = vanished(ended)
    over = f"{site} is frozen no more" if site else "the freeze of all sites is over"
    detail = {"as": speaker.account} | ({"vanished": " ".join(held)} if held else {})
    summary = "; ".join(f"the freeze by {item.by} is taken back: {item.reason}" for item in ended)
    entry = AuditEntry(speaker.at, speaker.name, "thaw", site, "", summary, reason, detail)
    return Saying(entry, taken=ended, message=over, more=tuple(_still(item) for item in others))


def of_otto(freezes: Iterable[Grant]) -> tuple[Grant, ...]:
    """Those that OttO set itself, since desired state collapsed."""
    return tuple(grant for grant in freezes if grant.origin)


def vanished(freezes: Iterable[Grant]) -> tuple[str, ...]:
    """Sites whose vanishing made OttO freeze all deletion, by name."""
    return tuple(sorted({site for grant in freezes for site in grant.held}))


def others_than(site: str, grants: Iterable[Grant], now: datetime) -> tuple[Grant, ...]:
    """Freezes that stay when that of a site, or of all, is taken back, and concern the same."""
    found = (grant for grant in _all(grants, now) if grant.site != site)
    return tuple(grant for grant in found if not site or not grant.site)


def command(site: str) -> str:
    """The command that ends a freeze."""
    return f"otto thaw --site {site}" if site else "otto thaw"


def _not_frozen(site: str, others: tuple[Grant, ...]) -> UsageError:
    if not others:
        return UsageError(f"{_what(site)} is not frozen", mend="otto grants lists what is in force")
    names = sorted(grant.site for grant in others)
    if site:
        return UsageError(f"{site} has no freeze of its own; all sites are frozen", mend=command(""))
    return UsageError(f"not all sites are frozen, but {', '.join(names)}", mend=command(names[0]))


def _still(grant: Grant) -> str:
    what = f"{grant.site} is" if grant.site else "all sites are"
    return f"{what} still frozen, by {grant.by}"


def _freezes(grants: Iterable[Grant], site: str, now: datetime) -> tuple[Grant, ...]:
    return tuple(grant for grant in _all(grants, now) if grant.site == site)


def _all(grants: Iterable[Grant], now: datetime) -> Iterable[Grant]:
    return (grant for grant in grants if grant.kind is GrantKind.FREEZE and grant.holds(now))


def _sooner(until: datetime | None, before: datetime | None) -> bool:
    return until is not None and (before is None or until < before)


def _what(site: str) -> str:
    return site or "every site"
