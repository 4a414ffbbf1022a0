"""What a document says of other sites, which have to be its writer's to see.

A record that follows a site publishes its addresses, a site that depends on another tells how that one is:
whoever is limited to some sites could otherwise learn of the others by naming them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from otto.model.document import Data, Kind
from otto.model.problem import Problem
from otto.model.text import one_line


@dataclass(frozen=True, slots=True)
class Link:
    """A site that a document names.

    Attributes:
        pointer: where, as a JSON pointer.
        site: its name.
        purpose: what for, in the words of the error that there is no such site.
    """

    pointer: str
    site: str
    purpose: str


def links(kind: Kind, data: Data | None) -> Iterator[Link]:
    """The sites that a document names, good or bad; machines are another matter (`Writer`)."""
    spec = data.get("spec") if data else None
    if not isinstance(spec, Mapping):
        return
    if kind is Kind.SITE:
        for number, site in enumerate(_list(spec.get("dependsOn"))):
            if isinstance(site, str):
                yield Link(f"/spec/dependsOn/{number}", site, "to depend on")
    elif kind is Kind.DOMAIN:
        for number, record in enumerate(_list(spec.get("records"))):
            site = record.get("site") if isinstance(record, Mapping) else None
            if isinstance(site, str) and site:
                yield Link(f"/spec/records/{number}/site", site, "to follow")


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []


def without_unseen(
    problems: Iterable[Problem],
    own: str,
    old: Iterable[Link],
    new: Iterable[Link],
    sees: Callable[[str], bool],
) -> tuple[Problem, ...]:
    """The problems of a write by somebody who is limited to some sites.

    What names a site that they do not see is a problem, told alike whether or not there is one. What others
    wrote into the document before may stay.

    Args:
        problems: those that were found.
        own: the document's name.
        old: what it named before.
        new: what it is to name.
        sees: whether a site is theirs to see.
    """
    before = {link.site for link in old} | {own}
    unseen = [link for link in new if link.site not in before and not sees(link.site)]
    places = {link.pointer for link in unseen}
    kept = [item for item in problems if item.site != own or item.pointer not in places]
    return (
        *kept,
        *(
            Problem(
                "",
                0,
                0,
                link.pointer,
                f'there is no site "{one_line(link.site, 60)}" {link.purpose}',
                site=own,
            )
            for link in unseen
        ),
    )
