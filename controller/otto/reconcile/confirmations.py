"""In how many looks in a row a difference was seen."""

from collections.abc import Iterable, Mapping

from otto.decide.signs import Key, keys
from otto.model.difference import Difference


class Confirmations:
    """Counts by site; what is not seen in one look begins anew."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[Key, int]] = {}

    def count(self, site: str, differences: Iterable[Difference]) -> Mapping[Key, int]:
        """Note what a look saw; in how many looks in a row each was seen, this one included."""
        before = self._counts.get(site, {})
        counts = {item: before.get(item, 0) + 1 for item in keys(differences)}
        self._counts[site] = counts
        return counts

    def forget(self, site: str) -> None:
        """Drop a site that is gone."""
        self._counts.pop(site, None)
