"""A wish whose image was revoked since: what hosts are made from instead, and which of them wait.

What runs of such a site is left alone and mended. A host that has to be made anew is never made from a
revoked image: it is made from what the image's name stands for now, or waits for a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from otto.decide.expected import wanted
from otto.decide.planning import new_hosts
from otto.decide.rollout import pins
from otto.model.desired import Desired
from otto.model.difference import Difference, Layer
from otto.model.image import Image, short_id
from otto.model.observed import Observed
from otto.model.plan import Action, Plan, StepKind
from otto.model.spec import Role


def revoked(images: Iterable[Image]) -> dict[tuple[str, str], str]:
    """What must not be used any more: provider and artifact -> which image that is and why, in words."""
    return {
        (provider, built.id): f"{image.name} {short_id(image.digest)}, which is revoked: {image.revoked}"
        for image in images
        if image.revoked
        for provider, built in image.artifacts.items()
    }


def barred(desired: Desired, known: Mapping[tuple[str, str], str]) -> dict[Role, str]:
    """Kinds of hosts whose image is revoked -> in words, which.

    Args:
        desired: the wish.
        known: what is revoked.
    """
    provider = desired.spec.provider.value
    found = {role: known.get((provider, desired.images.get(role.value, "")), "") for role in Role}
    return {role: words for role, words in found.items() if words}


def lost(desired: Desired, observed: Observed, roles: Iterable[Role]) -> dict[str, Role]:
    """Hosts of these kinds that have to be made anew."""
    kinds, names = frozenset(roles), wanted(desired)
    return {name: names[name] for name in new_hosts(desired, observed) if names.get(name) in kinds}


def pinned(
    desired: Desired, observed: Observed, roles: Iterable[Role], instead: Mapping[str, str]
) -> dict[str, str]:
    """What every host of these kinds is made from: what it runs on, or what stands in where it is lost.

    Args:
        desired: the wish.
        observed: what was seen.
        roles: those whose image is revoked.
        instead: lost host -> image that stands in.
    """
    kinds = frozenset(roles)
    there = (name for name, role in wanted(desired).items() if role in kinds and name not in instead)
    return {**pins(there, observed), **instead}


def mendable(found: Iterable[Difference], waiting: Iterable[str]) -> tuple[Difference, ...]:
    """What can be mended while these hosts wait for an image: Terraform would make them with all the rest."""
    left, names = tuple(found), frozenset(waiting)
    if not names:
        return left
    return tuple(item for item in left if item.layer is not Layer.INFRASTRUCTURE and item.host not in names)


def made_from(actions: Iterable[Action], desired: Desired, instead: Mapping[str, str]) -> dict[str, str]:
    """Hosts that actions make -> the image each is made from."""
    names = wanted(desired)
    return {
        action.host: instead.get(action.host) or desired.images.get(names[action.host].value, "")
        for action in actions
        if action.kind.makes and action.host in names
    }


def noted(plan: Plan, desired: Desired, instead: Mapping[str, str]) -> Plan:
    """A plan that says, to whoever approves it, which hosts it makes from what stands in."""
    lines = tuple(
        f"image of {name}: {short_id(image)}"
        for name, image in sorted(made_from(plan.actions, desired, instead).items())
        if name in instead
    )
    steps = tuple(
        replace(step, detail=(*step.detail, *lines)) if step.kind is StepKind.PROVISION else step
        for step in plan.steps
    )
    return replace(plan, steps=steps) if lines else plan


def told(waiting: Mapping[str, str]) -> str:
    """That hosts wait: host -> what they would be made from. "" for none."""
    if not waiting:
        return ""
    names, why = ", ".join(sorted(waiting)), "; ".join(sorted(set(waiting.values())))
    verb = "is lost and waits" if len(waiting) == 1 else "are lost and wait"
    return f"{names} {verb} for another image than {why}"
