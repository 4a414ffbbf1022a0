"""Sites as lists give them out: chosen by what they are, in the order of their names, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from otto.model.host import Host
from otto.model.reading import read
from otto.model.status import Phase, SiteStatus


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sites are meant: those for which all of this holds.

    Attributes:
        labels: they have all of these.
        phases: they are in one of these; empty for any.
        ready: whether they are Ready; None for either.
        provider: where their hosts live; "" for anywhere.
        domains: whether zones are meant, which share their keys with sites and have a dot in them.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    phases: frozenset[Phase] = frozenset()
    ready: bool | None = None
    provider: str = ""
    domains: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A site in a list.

    Attributes:
        site: its name.
        version: names what is kept of it: another one after every change of its status or what people want.
        labels: as its last good spec says, else as its status does.
    """

    site: str
    version: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is kept of a site, of one version.

    Attributes:
        version: which.
        data: its status as plain data, every field there; one that says Pending where there is a spec, and
            nobody looked yet.
        intents: what people asked for besides the spec.
    """

    version: int
    data: Mapping[str, Any]
    intents: frozenset[str] = frozenset()

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts."""
        return read(tuple[Host, ...], self.data["hosts"])

    @property
    def status(self) -> SiteStatus:
        """Its status."""
        return read(SiteStatus, self.data)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that is sorted by time, newest first: behind this item."""

    at: datetime
    id: str
