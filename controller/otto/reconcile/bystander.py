"""What differs and is left alone for now: it is watched, and told of."""

import structlog

from otto.decide.diff import depth, diff
from otto.decide.sifting import Sifted
from otto.decide.signs import keys, told
from otto.decide.wording import describe_differences, left_alone
from otto.model.desired import Desired
from otto.model.observed import InfrastructureState, Observed, Seen
from otto.model.sign import Sign
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look
from otto.reconcile.observation.sentinel import Sentinel
from otto.reconcile.observation.sightings import Watched
from otto.reconcile.observe import Observer
from otto.reconcile.pace import Next, Pace
from otto.reconcile.statuses import Statuses

log = structlog.get_logger("otto.reconcile")


class Bystander:
    """Ends looks after which nothing is done."""

    def __init__(
        self, kit: Kit, observer: Observer, sentinel: Sentinel, statuses: Statuses, pace: Pace
    ) -> None:
        self._kit = kit
        self._observer = observer
        self._sentinel = sentinel
        self._statuses = statuses
        self._pace = pace

    async def only_told(
        self, desired: Desired, observed: Observed, sifted: Sifted, signs: tuple[Sign, ...]
    ) -> Next:
        """What differs is left alone: it is only to be told of, or to be seen once more first."""
        self._observer.sightings.keep(desired.site, signs)
        self.watch(desired, observed)
        after = self._pace.after(0)
        if sifted.unconfirmed:
            words = describe_differences(sifted.unconfirmed)
            looks = desired.spec.policy.drift.confirmations
            waiting = f"to be seen in {looks} looks before it is repaired: {words}"
            after = Next(min(self._kit.probes.interval, after.seconds or 0.0))
            # Facts are to be asked for anew: the same answer heard twice is no second look.
            doubtful = {item.host for item in sifted.unconfirmed}
            self._observer.desk.doubt(host.id for host in observed.hosts if host.name in doubtful)
        else:
            waiting = left_alone(sifted.reported)
        log.info("reconcile.left_alone", differences=waiting)
        await self._statuses.suspect(desired, observed, waiting, after)
        return after

    async def wait_and_see(self, look: Look) -> Next:
        """What differs may be nothing yet: the tiers go on looking, and say when there is more to it."""
        self._observer.sightings.keep(
            look.desired.site, told(look.signs, look.differences, self._kit.clock.now())
        )
        self.watch(look.desired, look.observed)
        words = describe_differences(look.differences)
        waiting = f"not certain yet: {words}"
        silences = self._observer.silences
        if look.observed.silent and silences.widespread:
            waiting = (
                f"{silences.count} hosts are silent at once, so it may be OttO that is cut off: nothing is "
                f"replaced (probes.lostShare): {words}"
            )
        log.info("reconcile.suspects", differences=words, widespread=silences.widespread)
        after = self._pace.after(0)
        await self._statuses.suspect(look.desired, look.observed, waiting, after)
        return after

    def hold(self, look: Look, seconds: float) -> Next:
        """The same as before, which came to nothing: it is not tried again yet, and its status stands."""
        self._observer.sightings.keep(look.desired.site, look.signs)
        self.watch(look.desired, look.observed)
        log.info("reconcile.held", seconds=round(seconds, 1))
        return Next(min(seconds, self._pace.after(0).seconds or seconds), "retry")

    def watch(self, desired: Desired, observed: Observed) -> None:
        """Have the tiers watch the site by all that this look found: what is left alone is no news either."""
        known, heard = keys(diff(desired, observed)), keys(depth(desired, observed))
        state = observed.infrastructure
        have = state.value if isinstance(state, Seen) else InfrastructureState()
        self._sentinel.watch(Watched(desired, observed.applied, have, self._kit.clock.now(), known, heard))
