"""Zones of the newest commit, listed."""

from collections.abc import Mapping
from dataclasses import dataclass

from otto.model.domain import DomainSpec, is_zone
from otto.reconcile.fleet import Fleet


@dataclass(frozen=True, slots=True)
class ZoneView:
    """A zone that a spec describes.

    Attributes:
        name: the zone.
        spec: its newest spec, or while that is bad the last good one; None before the first.
        labels: of that spec.
        problems: why the newest one is not in force.
    """

    name: str
    spec: DomainSpec | None
    labels: Mapping[str, str]
    problems: tuple[str, ...] = ()


async def zones(fleet: Fleet) -> tuple[ZoneView, ...]:
    """All zones, by name. In the controller's loop."""
    catalogue = fleet.catalogue
    names = sorted({*catalogue.domains, *filter(is_zone, catalogue.problems)})
    return tuple(_view(fleet, name) for name in names)


def _view(fleet: Fleet, name: str) -> ZoneView:
    known = fleet.domain(name)
    spec = known.spec if known else None
    problems = tuple(map(str, fleet.problems(name)))
    return ZoneView(name, spec, spec.labels if spec else {}, problems)
