"""Everything that can be asked about a zone from outside, for a person. It runs in a worker."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from otto.adapters.dns.access import Access
from otto.adapters.dns.authorities import lookup, parents, resolvers, servers, stubs
from otto.adapters.dns.chain import chain
from otto.adapters.dns.checking import checked
from otto.adapters.dns.delegation import delegated
from otto.adapters.dns.questions import Answer, Place, ask, gathered
from otto.decide.dns.wanted import wanted
from otto.model.domain import DomainSpec
from otto.model.errors import OttoError
from otto.model.observed import CheckFailure
from otto.model.zone import Aspect, Finding, Targets


def examine(domain: DomainSpec, targets: Targets, access: Access) -> tuple[Finding, ...]:
    """One finding for each aspect, in their order."""
    return asyncio.run(_examined(domain, targets, access))


async def _examined(domain: DomainSpec, targets: Targets, access: Access) -> tuple[Finding, ...]:
    places, lost = await servers(domain, wanted(domain, targets), access)
    above = await _above(domain, access)
    soa = await gathered(ask(place, domain.name, "SOA", access.timeout) for place in places)
    # Who does not answer is told once, and not waited for again.
    alive = [place for place, answer in zip(places, soa, strict=True) if answer.message is not None]
    names = await gathered(ask(place, domain.name, "NS", access.timeout) for place in alive)
    parent, parent_places = await parents(domain, access)
    proven = await chain(domain.name, alive, parent, parent_places, access.timeout)
    return (
        _delegation(domain, above, names),
        _soa(domain.name, places, soa, lost) if places or lost else await _nowhere(domain, access),
        _ns(domain.name, alive, names, above),
        _meant(domain, proven) if alive else proven,
        await _caa(domain, alive, access),
        await _answers(domain, targets, access, alive),
    )


async def _above(domain: DomainSpec, access: Access) -> frozenset[str] | str:
    """Nameservers that the zone above names, or why they are not known."""
    try:
        found = await delegated(domain, access)
    except OttoError as error:
        return str(error)
    return "the zone above is not found" if found is None else frozenset(found)


def _delegation(domain: DomainSpec, above: frozenset[str] | str, answers: Sequence[Answer]) -> Finding:
    if isinstance(above, str):
        return Finding(Aspect.DELEGATION, None, above)
    own = next(
        (_names(answer, domain.name) for answer in answers if _names(answer, domain.name)), frozenset()
    )
    want = frozenset(domain.nameservers) or own
    if not above:
        return Finding(
            Aspect.DELEGATION, holds=False, message=f"the zone above does not delegate {domain.name}"
        )
    if above == want:
        return Finding(Aspect.DELEGATION, holds=True, message=f"delegated to {_list(above)}")
    return Finding(
        Aspect.DELEGATION, holds=False, message=f"delegated to {_list(above)}, meant are {_list(want)}"
    )


def _soa(zone: str, places: Sequence[Place], answers: Sequence[Answer], lost: Sequence[str]) -> Finding:
    failures = [
        CheckFailure(f"{zone} NS", name, f"dig {name} A", "an address", "none is known") for name in lost
    ]
    serials: dict[int, list[str]] = {}
    for place, answer in zip(places, answers, strict=True):
        found = answer.rrset(zone, "SOA")
        if found and answer.authoritative:
            serials.setdefault(int(found[0].serial), []).append(str(place))
            continue
        received = answer.told(zone, "SOA") if not found else "an answer without authority"
        failures.append(
            CheckFailure(
                f"{zone} SOA", str(place), place.command(zone, "SOA"), "an answer with authority", received
            )
        )
    told = "; ".join(f"serial {serial} at {_list(who)}" for serial, who in sorted(serials.items()))
    return Finding(
        Aspect.SOA, len(serials) == 1 and not failures, told or "no server answers", tuple(failures)
    )


async def _nowhere(domain: DomainSpec, access: Access) -> Finding:
    """What it means that no server with authority is known."""
    if await lookup(domain.name, "NS", access) is None:
        return Finding(Aspect.SOA, None, f"no resolver says who serves {domain.name}")
    words = f"nobody serves {domain.name}, as far as the world is told"
    return Finding(Aspect.SOA, holds=False, message=words)


def _meant(domain: DomainSpec, proven: Finding) -> Finding:
    """What was found of the signatures, beside what the spec says of them."""
    if domain.dnssec and proven.holds is None and not proven.failures:
        return replace(proven, holds=False, message=f"{proven.message}; spec.dnssec is true")
    if domain.dnssec is False and proven.holds:
        return replace(proven, holds=False, message=f"{proven.message}; spec.dnssec is false")
    return proven


def _ns(
    zone: str, places: Sequence[Place], answers: Sequence[Answer], above: frozenset[str] | str
) -> Finding:
    told = {
        place: _names(answer, zone) for place, answer in zip(places, answers, strict=True) if answer.message
    }
    if not told:
        return Finding(Aspect.NS, None, "no server answers")
    expected = above if isinstance(above, frozenset) and above else next(iter(told.values()))
    failures = tuple(
        CheckFailure(
            f"{zone} NS", str(place), place.command(zone, "NS"), _list(expected), _list(names) or "none"
        )
        for place, names in told.items()
        if names != expected
    )
    whom = "the zone above" if expected is above else "each other"
    words = (
        f"all name {_list(expected)}"
        if not failures
        else f"{len(failures)} of {len(told)} do not agree with {whom}"
    )
    return Finding(Aspect.NS, not failures, words, failures)


async def _caa(domain: DomainSpec, places: Sequence[Place], access: Access) -> Finding:
    """The CAA records that hold for the zone's own name (RFC 8659, section 3): the nearest going up."""
    if not places:
        return Finding(Aspect.CAA, None, "no server answers")
    stub = next(iter((*resolvers(domain), *stubs(access))), None)
    place: Place | None = places[0]
    name = domain.name
    while name:
        if place is None:
            return Finding(Aspect.CAA, None, f"{name} CAA: there is no resolver to ask")
        answer = await ask(place, name, "CAA", access.timeout)
        if not answer.usable:
            return Finding(Aspect.CAA, None, f"{name} CAA: {answer.told(name, 'CAA')} at {place}")
        if values := answer.values(name, "CAA"):
            whose = "" if name == domain.name else f", as {name} has it"
            return Finding(Aspect.CAA, holds=True, message=f"certificates{whose}: {_list(values)}")
        place, name = stub, name.partition(".")[2]
    return Finding(Aspect.CAA, None, "no CAA: every authority may issue certificates")


async def _answers(domain: DomainSpec, targets: Targets, access: Access, places: Sequence[Place]) -> Finding:
    if not places:
        return Finding(Aspect.ANSWERS, None, "no server answers")
    try:
        failures = await checked(domain, targets, access, places)
    except OttoError as error:
        return Finding(Aspect.ANSWERS, None, str(error))
    words = f"{len(failures)} answers are not what is desired" if failures else "all is answered as desired"
    return Finding(Aspect.ANSWERS, not failures, words, failures)


def _names(answer: Answer, zone: str) -> frozenset[str]:
    return frozenset(value.removesuffix(".").lower() for value in answer.values(zone, "NS"))


def _list(items: Iterable[str]) -> str:
    return ", ".join(sorted(items))
