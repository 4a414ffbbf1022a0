"""What a look at a zone found, as plain data; the schema in `schemas/output` describes it."""

from typing import Protocol

from otto.decide.documents import Document
from otto.model.canonical import to_data
from otto.model.difference import Difference
from otto.model.zone import RecordSet
from otto.reconcile.documents import Looked, inspection_document


class LookedZone(Protocol):
    """A zone that was looked at, here or elsewhere."""

    @property
    def inspected(self) -> Looked:
        """As of a site."""

    @property
    def conflicts(self) -> tuple[Difference, ...]:
        """Record sets of others where the spec wants its own."""

    @property
    def foreign(self) -> tuple[RecordSet, ...]:
        """Record sets of others that are left alone."""

    @property
    def lost(self) -> tuple[str, ...]:
        """Sites that records follow and whose addresses are not known."""


def zone_document(seen: LookedZone) -> Document:
    """What `otto dns diff --json` prints."""
    return {
        **inspection_document(seen.inspected),
        "conflicts": [to_data(item) for item in seen.conflicts],
        "foreign": [to_data(item) for item in seen.foreign],
        "lost": [*seen.lost],
    }
