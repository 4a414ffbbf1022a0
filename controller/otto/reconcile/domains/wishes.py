"""What each zone should be, worked out once for each spec and each place its sites are at."""

from dataclasses import replace

from otto.decide.dns.wish import wish
from otto.model.catalogue import RememberedDomain
from otto.model.zonememory import DesiredZone
from otto.reconcile.domains.targets import TargetBook


class Wishes:
    """Keeps the newest wish of each zone."""

    def __init__(self, targets: TargetBook) -> None:
        self._targets = targets
        self._kept: dict[str, DesiredZone] = {}

    def of(self, known: RememberedDomain) -> DesiredZone:
        """What a zone should be, with its sites where they are now."""
        spec, targets = known.spec, self._targets.targets(known.spec.sites)
        kept = self._kept.get(spec.name)
        if kept is None or kept.spec is not spec or kept.targets != targets:
            kept = wish(spec, known.commit, targets)
        elif kept.commit != known.commit:
            kept = replace(kept, commit=known.commit)
        self._kept[spec.name] = kept
        return kept
