"""What servers answer otherwise than desired. It runs in a worker."""

import asyncio
from collections.abc import Awaitable, Sequence

import dns.exception
import dns.name
import dns.rdata

from otto.adapters.dns.access import Access
from otto.adapters.dns.authorities import parents, resolvers, servers
from otto.adapters.dns.delegation import ROUTE53DOMAINS
from otto.adapters.dns.questions import Answer, Place, ask, gathered
from otto.decide.dns.names import absolute
from otto.decide.dns.wanted import wanted
from otto.model.domain import DomainSpec, RecordType
from otto.model.errors import TransientError
from otto.model.observed import CheckFailure
from otto.model.zone import RecordSet, Targets

WILDCARD = "otto-asks-for-the-wildcard"
"""A label that nobody has: what answers to it is the wildcard (RFC 4592)."""

_MOST = 200
_LONGEST = 300


def check(domain: DomainSpec, targets: Targets, access: Access) -> tuple[CheckFailure, ...]:
    """What authoritative servers, the resolvers of choice, and servers above answer otherwise than desired.

    Raises:
        TransientError: nobody can be asked.
    """
    return asyncio.run(_checked(domain, targets, access))


async def _checked(domain: DomainSpec, targets: Targets, access: Access) -> tuple[CheckFailure, ...]:
    return (*await _above(domain, access), *await checked(domain, targets, access))[:_MOST]


async def checked(
    domain: DomainSpec, targets: Targets, access: Access, places: Sequence[Place] | None = None
) -> tuple[CheckFailure, ...]:
    """What those with authority and the resolvers of choice answer otherwise; `places` for the former."""
    want = wanted(domain, targets)
    lost: Sequence[str] = ()
    if places is None:
        places, lost = await servers(domain, want, access)
    if not places and not lost:
        raise TransientError(
            f"{domain.name}: no server with authority over it is known",
            mend="delegate it, or set spec.nameservers",
        )
    failures = [_unknown(domain.name, name) for name in lost]
    serials = await gathered(ask(place, domain.name, "SOA", access.timeout) for place in places)
    alive = []
    for place, answer in zip(places, serials, strict=True):
        failure = _authority(domain.name, place, answer)
        if failure:
            failures.append(failure)
        else:
            alive.append(place)
    failures += await _all([*alive, *resolvers(domain)], domain.name, want.answered, access.timeout)
    return tuple(failures[:_MOST])


async def _above(domain: DomainSpec, access: Access) -> list[CheckFailure]:
    """What the servers of the zone above say otherwise than the registrar was told, which tells them later.

    The lab's zone above is written by us, and read whenever a zone is planned.
    """
    if domain.registrar != ROUTE53DOMAINS or not domain.nameservers:
        return []
    zone, want = f"{domain.name} NS", frozenset(f"{name}." for name in domain.nameservers)
    name, places = await parents(domain, access)
    if not places:
        missing = name or "the zone above"
        return [CheckFailure(zone, missing, f"dig {missing} NS", ", ".join(sorted(want)), "it is not found")]
    answers = await gathered(ask(place, domain.name, "NS", access.timeout) for place in places)
    return [
        CheckFailure(
            zone,
            str(place),
            place.command(domain.name, "NS"),
            _short(", ".join(sorted(want))),
            _short(answer.told(domain.name, "NS")),
        )
        for place, answer in zip(places, answers, strict=True)
        if frozenset(value.lower() for value in answer.values(domain.name, "NS")) != want
    ]


async def _all(
    places: Sequence[Place], zone: str, sets: Sequence[RecordSet], seconds: float
) -> list[CheckFailure]:
    # A type of a provider's own: what it answers by is not in the spec.
    asked = [item for item in sets if item.type != RecordType.ALIAS]
    work: list[Awaitable[CheckFailure | None]] = [
        _one(place, zone, item, seconds) for place in places for item in asked
    ]
    return [failure for failure in await gathered(work) if failure]


async def _one(place: Place, zone: str, item: RecordSet, seconds: float) -> CheckFailure | None:
    name = absolute(asked_as(item.name), zone)
    answer = await ask(place, name, item.type, seconds)
    received = _canonical(item.type, answer.values(name, item.type))
    if answer.message is not None and received == _canonical(item.type, item.values):
        return None
    return CheckFailure(
        check=f"{absolute(item.name, zone)} {item.type}",
        target=str(place),
        request=place.command(name, item.type),
        expected=_short(", ".join(item.values)),
        received=_short(answer.told(name, item.type)),
    )


def asked_as(name: str) -> str:
    """The name that is asked for in place of a wildcard."""
    star, dot, base = name.partition(".")
    return f"{WILDCARD}{dot}{base}" if star == "*" else name


def _canonical(type_: str, values: Sequence[str] | frozenset[str]) -> frozenset[object]:
    """Values such that spelling makes no difference."""
    found: set[object] = set()
    for value in values:
        try:
            found.add(dns.rdata.from_text("IN", type_, value, origin=dns.name.root, relativize=False))
        except dns.exception.DNSException:
            found.add(value)
    return frozenset(found)


def _authority(zone: str, place: Place, answer: Answer) -> CheckFailure | None:
    """A failure of a server that does not answer for the zone at all."""
    if answer.authoritative and answer.rrset(zone, "SOA"):
        return None
    received = answer.told(zone, "SOA")
    if answer.rrset(zone, "SOA"):
        received += ", without authority"
    return CheckFailure(
        check=f"{zone} SOA",
        target=str(place),
        request=place.command(zone, "SOA"),
        expected="an answer with authority",
        received=_short(received),
    )


def _unknown(zone: str, name: str) -> CheckFailure:
    return CheckFailure(
        check=f"{zone} NS",
        target=name,
        request=f"dig {name} A",
        expected="an address",
        received="none is known",
    )


def _short(text: str) -> str:
    safe = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}…"
