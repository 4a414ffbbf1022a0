"""Hosts that answer nothing although their provider calls them running."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from otto.model.host import Host
from otto.model.observed import Silence
from otto.ports import Clock


@dataclass(slots=True)
class _Silent:
    since: datetime
    looks: int = 1


class Silences:
    """Counts looks in a row in which a host answered neither HTTP nor SSH.

    Silence is proof only while it is rare: when many hosts fall silent together it is more likely that we
    cannot hear, and a fleet made anew because of a cable on our own side would be the worst of all outages.

    Args:
        clock: time.
        confirmations: so many looks in a row are proof.
        share: of all hosts, as many may be silent at once; one may always be.
    """

    def __init__(self, clock: Clock, confirmations: int, share: float) -> None:
        self._clock = clock
        self._confirmations = max(1, confirmations)
        self._share = share
        self._silent: dict[str, _Silent] = {}
        self._heard: set[str] = set()

    def heard(self, host: Host) -> None:
        """The host answered: what was counted is void."""
        self._silent.pop(host.id, None)
        self._heard.add(host.id)

    def silent(self, host: Host, *, counts: bool = True) -> None:
        """The host did not answer.

        Args:
            host: which one.
            counts: whether this look counts as one more for a host that was silent already; looks that
                follow each other at once would only count the same moment twice.
        """
        self._heard.discard(host.id)
        known = self._silent.get(host.id)
        if known is None:
            self._silent[host.id] = _Silent(self._clock.now())
        elif counts:
            known.looks += 1

    def of(self, hosts: Iterable[Host]) -> dict[str, Silence]:
        """Silent hosts among these, by name."""
        found = {host.name: self._silent[host.id] for host in hosts if host.id in self._silent}
        proof = not self.widespread
        return {
            name: Silence(item.since, item.looks, confirmed=proof and item.looks >= self._confirmations)
            for name, item in found.items()
        }

    @property
    def widespread(self) -> bool:
        """Whether so many hosts are silent that it is rather us who are cut off."""
        total = len(self._silent) + len(self._heard)
        return len(self._silent) > max(1, int(total * self._share))

    @property
    def count(self) -> int:
        """How many hosts are silent."""
        return len(self._silent)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop hosts that are gone."""
        for host_id in ids:
            self._silent.pop(host_id, None)
            self._heard.discard(host_id)
