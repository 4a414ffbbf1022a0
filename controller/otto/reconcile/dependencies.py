"""Sites that depend on other sites: a change waits until those are as they should be."""

from otto.decide.dependencies import blocked_by
from otto.model.errors import OttoError, WaitingError
from otto.model.spec import SiteSpec
from otto.model.status import SiteStatus
from otto.ports import Store
from otto.reconcile.converge import Latest
from otto.reconcile.fleet import Fleet


class Dependencies:
    """Holds a site's changes back, not its healing.

    Args:
        store: has the statuses.
        fleet: has the specs in force.
        latest: digest of the newest wish for a site.
    """

    def __init__(self, store: Store, fleet: Fleet, latest: Latest) -> None:
        self._store = store
        self._fleet = fleet
        self._latest = latest

    async def check(self, spec: SiteSpec) -> None:
        """Let a site go on when every site it depends on is Ready.

        Raises:
            WaitingError: names those that are not, with the phase of each.
        """
        if not spec.depends_on:
            return
        statuses = {name: await self._store.status(name) for name in spec.depends_on}
        fine = [item for item in statuses.values() if item and await self._up_to_date(item)]
        ready = frozenset(item.site for item in fine)
        blocking = blocked_by(spec, ready, self._fleet.specs_in_force())
        if blocking:
            words = [f"{name} ({_phase_of(statuses.get(name))})" for name in blocking]
            raise WaitingError(f"waits for {', '.join(words)} to be Ready")

    async def _up_to_date(self, status: SiteStatus) -> bool:
        """Whether a site is Ready as its newest wish says, and not only as an older one did."""
        try:
            return status.ready and status.digest == await self._latest(status.site)
        except OttoError:
            return False


def _phase_of(status: SiteStatus | None) -> str:
    return status.phase.value if status else "Pending"
