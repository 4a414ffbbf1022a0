"""What becomes of zones, in words."""

from otto.decide.wording import counted
from otto.model.domain import DomainSpec


def left_behind(zone: DomainSpec) -> str:
    """What stays of a zone that no spec wants any more, and whom it no longer follows."""
    words = f"its {counted(len(zone.records), 'record set')} stay"
    if zone.sites:
        words += f", and follow {', '.join(sorted(zone.sites))} no more"
    return words
