"""More room for one site: a longer life, or change windows that do not count for a while."""

from datetime import datetime

from otto.model.canonical import to_data
from otto.model.errors import UsageError
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.saying import Saying, Speaker


def extend(site: str, end: datetime | None, until: datetime, speaker: Speaker, reason: str) -> Saying:
    """A site lives longer.

    Args:
        site: which.
        end: when its life ends now, None for never.
        until: when it is to end.
        speaker: who says it.
        reason: why, in their words.

    Raises:
        UsageError: it has no end, or the new one is not later, or past.
    """
    if end is None:
        raise endless(site)
    if until <= speaker.at:
        raise UsageError(f"the new end of {site} would be past already", mend="extend it by more")
    if until <= end:
        mend = "to end it sooner, change policy.ttl or policy.until in its spec"
        raise UsageError(f"{site} lives longer than that already", mend=mend)
    grant = Grant(GrantKind.EXTEND, site, speaker.name, speaker.at, until, reason)
    return _given(grant, speaker, f"the life of {site} is longer", {"before": str(to_data(end))})


def endless(site: str) -> UsageError:
    """What is said of a site that nothing will end."""
    mend = "policy.ttl or policy.until in its spec set one; it counts from its first host on"
    return UsageError(f"the life of {site} has no end that could be put off", mend=mend)


def override(site: str, until: datetime, speaker: Speaker, reason: str) -> Saying:
    """Change windows do not count for a site until then. It takes the place of an earlier such word.

    Args:
        site: which.
        until: when they count again.
        speaker: who says it.
        reason: why, in their words.
    """
    grant = Grant(GrantKind.OVERRIDE, site, speaker.name, speaker.at, until, reason)
    return _given(grant, speaker, f"change windows do not count for {site}", {})


def _given(grant: Grant, speaker: Speaker, summary: str, more: dict[str, str]) -> Saying:
    detail = {"as": speaker.account, "until": str(to_data(grant.until)), **more}
    entry = AuditEntry(
        at=speaker.at,
        who=speaker.name,
        what=grant.kind.value,
        site=grant.site,
        summary=summary,
        reason=grant.reason,
        detail=detail,
    )
    return Saying(entry, grant, message=summary)
