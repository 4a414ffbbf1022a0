"""Hosts that answer nothing although their provider calls them running."""

from collections.abc import Iterable
from dataclasses import replace

from otto.model.host import Host
from otto.model.observed import Silence
from otto.ports import Clock


class Silences:
    """Counts looks in a row in which a host answered neither HTTP nor SSH.

    Args:
        clock: time.
        confirmations: so many looks in a row are proof.
    """

    def __init__(self, clock: Clock, confirmations: int) -> None:
        self._clock = clock
        self._confirmations = max(1, confirmations)
        self._known: dict[str, Silence] = {}

    def heard(self, host: Host) -> None:
        """The host answered: what was counted is void."""
        self._known.pop(host.id, None)

    def silent(self, host: Host, *, counts: bool = True) -> None:
        """The host did not answer.

        Args:
            host: which one.
            counts: whether this look counts as one more for a host that was silent already; looks that
                follow each other at once would only count the same moment twice.
        """
        known = self._known.get(host.id)
        if known is None:
            self._known[host.id] = Silence(self._clock.now(), 1, confirmed=self._confirmations <= 1)
        elif counts:
            looks = known.looks + 1
            self._known[host.id] = replace(known, looks=looks, confirmed=looks >= self._confirmations)

    def of(self, hosts: Iterable[Host]) -> dict[str, Silence]:
        """Silent hosts among these, by name."""
        return {host.name: self._known[host.id] for host in hosts if host.id in self._known}

    def forget(self, ids: Iterable[str]) -> None:
        """Drop hosts that are gone."""
        for host_id in ids:
            self._known.pop(host_id, None)
