"""Sites, listed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from otto.model.register import Listed, Selection, Sheet


class Register(Protocol):
    """Every site with a status or a remembered spec, kept up by the store that it is a part of.

    May be asked from any event loop.
    """

    async def listed(self, site: str) -> Listed | None:
        """One site, None when there is none of that name."""

    async def page(self, selection: Selection, *, after: str = "", limit: int = 100) -> tuple[Listed, ...]:
        """Sites by name, from behind `after` on; costs what it gives out, not what there is."""

    async def count(self, selection: Selection) -> int:
        """How many sites are meant."""

    async def sheets(self, sites: Sequence[str]) -> Mapping[str, Sheet]:
        """What is kept of sites, by name; those that are gone are left out."""
