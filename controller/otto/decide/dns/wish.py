"""What one zone should be, named by one digest of all that its servers would be told."""

from otto.decide.dns.wanted import wanted
from otto.model.canonical import digest
from otto.model.domain import DomainSpec
from otto.model.zone import Targets
from otto.model.zonememory import DesiredZone


def wish(spec: DomainSpec, commit: str, targets: Targets) -> DesiredZone:
    """What a zone should be.

    Args:
        spec: its spec.
        commit: where that was read.
        targets: addresses of the sites that it follows; those of others are left out.
    """
    known = {site: targets[site] for site in sorted(spec.sites & targets.keys())}
    found = wanted(spec, known)
    named = digest(
        {
            "zone": spec.name,
            "place": (spec.provider, spec.server, spec.credentials),
            "nameservers": (spec.nameservers, spec.registrar),
            "dnssec": spec.dnssec,
            "ownership": (spec.policy.exclusive, spec.policy.takeover),
            "sets": found.sets,
            "left": sorted(found.left),
            "resolvers": spec.resolvers,
        }
    )
    return DesiredZone(spec, commit, known, named)
