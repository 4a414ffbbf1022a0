"""In which order a change that many sites share reaches them: canaries first, then wave after wave.

What sites share are the images they follow, the roles, and a provider's module. What a site's own spec
changes (another image's name, another provider) is its own affair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from otto.decide.batches import counted
from otto.model.canonical import digest
from otto.model.desired import Desired
from otto.model.history import Turn
from otto.model.spec import Provider, Role, SiteSpec
from otto.model.strategy import FleetRollout

Shared = Mapping[str, str]
"""Shared input, in words -> what names its content."""

UNMENDABLE = ("role ", "module ")
"""While one of these is new, what runs on a site cannot be put in place again as it was verified."""


@dataclass(frozen=True, slots=True)
class Member:
    """A site that a shared change reaches.

    Attributes:
        site: its name.
        labels: as its spec says.
        pending: whether the change is still to be put in place there, and seen to hold.
        failed: whether the site fails with it, or fails to get it.
    """

    site: str
    labels: Mapping[str, str] = field(default_factory=dict)
    pending: bool = True
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether it has the change and is well."""
        return not self.pending and not self.failed


def shared(desired: Desired) -> Shared:
    """What a wish has in common with the wishes for other sites."""
    return shared_inputs(desired.spec, desired.images, desired.module, desired.roles)


def shared_inputs(
    spec: SiteSpec, images: Mapping[str, str], module: str, roles: Mapping[str, str]
) -> dict[str, str]:
    """The same, of a wish that is not worked out as a whole.

    Args:
        spec: the spec.
        images: role of a host -> id of its image.
        module: digest of the provider's Terraform module.
        roles: Ansible role -> digest of its files.
    """
    found = {f"image {spec.group(role).image}": images[role.value] for role in Role if role.value in images}
    found = {_at(spec.provider, name): value for name, value in found.items()}
    found[_at(spec.provider, "module")] = module
    return found | {f"role {name}": value for name, value in roles.items()}


def _at(provider: Provider, name: str) -> str:
    return f"{name} of {provider.value}"


def changed(before: Shared, after: Shared) -> dict[str, str]:
    """The shared inputs that both have and that differ, as they are after."""
    return {name: after[name] for name in sorted(before.keys() & after.keys()) if before[name] != after[name]}


def shared_change(before: Desired, after: Desired) -> str:
    """Names what is new of the inputs that two wishes share with other sites; "" when nothing is."""
    new = changed(shared(before), shared(after))
    return digest(new) if new else ""


def reaches(change: Shared, want: Shared) -> bool:
    """Whether a site is to have something of a change."""
    return any(want.get(name) == value for name, value in change.items())


def lacks(change: Shared, have: Shared, want: Shared) -> bool:
    """Whether something of a change, which a site is to have, is not in place there."""
    return any(
        want.get(name) == value and name in have and have[name] != value for name, value in change.items()
    )


def waves(fleet: Iterable[Member], policy: FleetRollout) -> tuple[tuple[str, ...], ...]:
    """The sites that go together, in order; every member is in one of them.

    Args:
        fleet: the sites that the change reaches, those that have it included.
        policy: which of them go first, and how many at a time after that.
    """
    members = sorted(fleet, key=lambda member: member.site)
    first = tuple(member.site for member in members if policy.canaries and _is_canary(member, policy))
    rest = [member.site for member in members if member.site not in set(first)]
    size = counted(policy.wave, len(members)) if policy.wave else max(1, len(rest))
    later = (tuple(rest[start : start + size]) for start in range(0, len(rest), size))
    return tuple(wave for wave in (first, *later) if wave)


def _is_canary(member: Member, policy: FleetRollout) -> bool:
    return policy.canaries.items() <= member.labels.items()


def turn(site: str, change: Shared, fleet: Sequence[Member], policy: FleetRollout) -> Turn:
    """Whether it is a site's turn to get a shared change, or whom it waits for.

    Args:
        site: which.
        change: what is new of what sites share; nothing is new: nobody waits.
        fleet: the sites that it reaches. A site that is none of them waits for nobody.
        policy: the order.
    """
    order = waves(fleet, policy) if change else ()
    place = next((number for number, wave in enumerate(order) if site in wave), 0)
    before = {name for wave in order[:place] for name in wave}
    ahead = sorted((member for member in fleet if member.site in before), key=lambda member: member.site)
    return Turn(
        change=tuple(sorted(change)),
        waits=tuple(member.site for member in ahead if member.pending and not member.failed),
        stopped=tuple(member.site for member in ahead if member.failed),
        wave=place + 1,
        waves=len(order),
        mends=not any(name.startswith(UNMENDABLE) for name in change),
    )
