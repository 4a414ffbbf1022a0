"""The addresses by which records follow a site: those at which it was seen to serve."""

from ipaddress import ip_address

from otto.model.observed import Observed
from otto.model.plan import Plan
from otto.model.spec import Role
from otto.model.status import ConditionType, Phase, SiteStatus

# While these go on, what is there may not serve yet.
_AT_WORK = frozenset(
    {Phase.PLANNING, Phase.PROVISIONING, Phase.CONFIGURING, Phase.DEPLOYING, Phase.VERIFYING}
)


def addresses(status: SiteStatus) -> tuple[str, ...]:
    """Addresses at which visitors reach a site, sorted; endpoints that are named otherwise are left out."""
    return tuple(sorted({item.address for item in status.endpoints if _is_address(item.address)}))


def followed(before: tuple[str, ...], status: SiteStatus) -> tuple[str, ...]:
    """The addresses that a site's records are to hold from now on; none when none is known.

    New ones count once the site was seen to serve with them, so that nobody is sent to a balancer that is
    not set up yet. One that is gone is left out at once, unless none would be left: then nobody is helped.

    Args:
        before: those until now.
        status: the site's newest status.
    """
    have = addresses(status)
    if not have:
        return ()
    if status.phase not in _AT_WORK and status.holds(ConditionType.SERVING):
        return have
    return tuple(item for item in before if item in have) or before


def departing(plan: Plan, observed: Observed) -> tuple[str, ...]:
    """Addresses of living balancers that a plan takes away, and that no other balancer has; sorted."""
    going = {action.host for action in plan.actions if action.kind.takes and action.host}
    balancers = [host for host in observed.hosts if host.role is Role.BALANCER]
    staying = {host.address for host in balancers if host.name not in going}
    return tuple(sorted({host.address for host in balancers if host.name in going} - staying))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
