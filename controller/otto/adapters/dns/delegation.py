"""The delegation of a zone: NS, glue and DS in the zone above, or at a registrar. It runs in a worker."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
from dns.rdataclass import RdataClass
from dns.rdtypes.dnskeybase import Flag

from otto.adapters.dns.access import Access
from otto.adapters.dns.exchange import ask as ask_signed
from otto.adapters.dns.exchange import refused, serial_of, tcp
from otto.adapters.dns.rfc2136 import STALE, Rfc2136, stale
from otto.adapters.dns.updates import batches
from otto.decide.dns.names import absolute, relative
from otto.decide.dns.wanted import wanted
from otto.model.domain import DomainSpec
from otto.model.errors import StaleError, TerminalError, TransientError
from otto.model.zone import ChangeKind, RecordChange, RecordSet, ZonePlan

LAB, ROUTE53DOMAINS = "lab", "route53domains"
TTL = 300
"""Seconds of what we write into the zone above."""

_GLUE = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class Above:
    """What the zone above holds about a zone.

    Attributes:
        names: nameservers, sorted, without a last dot.
        glue: addresses by (name, type), for names inside the zone.
        signers: the DS, sorted.
    """

    names: tuple[str, ...] = ()
    glue: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    signers: tuple[str, ...] = ()


async def delegated(domain: DomainSpec, access: Access) -> tuple[str, ...] | None:
    """The nameservers that the zone above names, as its own servers say; None where it is not found.

    Raises:
        OttoError: its servers do not answer.
    """
    if access.parent:
        return (await asyncio.to_thread(_above, domain, access)).names
    from otto.adapters.dns.authorities import parents  # noqa: PLC0415  (this one, and dns.dnssec, load slowly)
    from otto.adapters.dns.questions import ask  # noqa: PLC0415

    _, places = await parents(domain, access)
    trouble = ""
    for place in places:
        answer = await ask(place, domain.name, "NS", access.timeout)
        if answer.message is not None:
            return tuple(sorted(name.removesuffix(".").lower() for name in answer.values(domain.name, "NS")))
        trouble = f"{place}: {answer.trouble}"
    if trouble:
        raise TransientError(f"{domain.name}: no server of the zone above answers: {trouble}")
    return None


def current(domain: DomainSpec, access: Access) -> tuple[str, ...] | None:
    """The nameservers that a registrar we can speak to has; None where there is none.

    Raises:
        OttoError: it does not answer.
    """
    if domain.registrar == ROUTE53DOMAINS:
        from otto.adapters.dns.registrar import nameservers  # noqa: PLC0415  (botocore)

        return nameservers(domain, access)
    return _above(domain, access).names if domain.registrar and access.parent else None


def planned(domain: DomainSpec, plan: ZonePlan, zone_signed: bool | None, access: Access) -> ZonePlan:
    """A plan with what has to be done about the delegation and the signing.

    Raises:
        OttoError: the zone above cannot be read, or cannot delegate this one.
        TerminalError: signing is asked for where we cannot do it.
    """
    plan = replace(plan, dnssec=_signing(domain, zone_signed, access))
    if not domain.registrar:
        return plan
    check_parent(domain, access)
    if domain.registrar == LAB and access.parent:
        return _planned_above(domain, plan, zone_signed, access)
    now = current(domain, access) or ()
    want = tuple(sorted(domain.nameservers))
    return replace(plan, delegation=(now, want)) if want and now != want else plan


def check_parent(domain: DomainSpec, access: Access) -> None:
    """Have the lab's zone above be above.

    Raises:
        TerminalError: it is not.
    """
    if domain.registrar != LAB or access.parent is None:
        return
    parent = access.parent[0]
    if not domain.name.endswith(f".{parent}"):
        raise TerminalError(
            f"{domain.name} is not below {parent}, which is what the lab delegates from",
            mend=f"name it NAME.{parent}, set lab.zone, or leave spec.registrar out",
        )


def _signing(domain: DomainSpec, signed: bool | None, access: Access) -> bool | None:
    if domain.dnssec is None or domain.dnssec == bool(signed):
        return None
    if not access.lab:
        raise TerminalError(
            f"{domain.name}: OttO has no way to sign or unsign zones of {domain.provider.value}",
            mend="do it at the provider or in the server's configuration, and leave spec.dnssec out",
        )
    return domain.dnssec


def _planned_above(domain: DomainSpec, plan: ZonePlan, signed: bool | None, access: Access) -> ZonePlan:
    now = _above(domain, access)
    want = tuple(sorted(domain.nameservers))
    if want and (now.names != want or now.glue != _glue(domain, want)):
        plan = replace(plan, delegation=(now.names, want))
    if domain.dnssec and signed and plan.dnssec is None and now.signers != _signers(domain, access):
        return replace(plan, dnssec=True)
    if domain.dnssec is False and plan.dnssec is None and now.signers:
        return replace(plan, dnssec=False)
    return plan


def change(domain: DomainSpec, plan: ZonePlan, access: Access) -> None:
    """Have the zone above, or the registrar, say what the plan says.

    Raises:
        StaleError: it says something else by now than what was planned from.
        OttoError: it refuses, or does not answer.
    """
    if domain.registrar == ROUTE53DOMAINS:
        if plan.delegation:
            from otto.adapters.dns.registrar import change as change_there  # noqa: PLC0415  (botocore)

            change_there(domain, plan.delegation, _glue(domain, plan.delegation[1]), access)
        return
    if access.parent is None:
        return
    parent, server = access.parent
    now = _above(domain, access)
    if plan.delegation and now.names not in plan.delegation:
        raise StaleError(f"{domain.name}: its delegation moved on since it was planned", mend="plan again")
    names = plan.delegation[1] if plan.delegation else now.names
    signers = _signers(domain, access) if domain.dnssec and plan.dnssec is not False and names else ()
    want = Above(names, _glue(domain, names), signers)
    changes = tuple(_changes(relative(domain.name, parent), parent, now, want))
    for batch in batches(parent, changes):
        answer = tcp(batch.message, server, parent, access.timeout)
        if answer.rcode() in STALE:
            raise stale(answer.rcode(), server, parent, 0, len(changes))
        if answer.rcode() != dns.rcode.NOERROR:
            refused(answer.rcode(), server, parent)


def _above(domain: DomainSpec, access: Access) -> Above:
    """What the zone above holds, read out of it: its server may have the zone itself, and answer from it."""
    if access.parent is None:
        return Above()
    parent, server = access.parent
    provider = Rfc2136(server, access.timeout)
    if serial_of(server, parent, access.timeout) is None:
        raise TransientError(f"{server} does not serve {parent}, the zone above {domain.name}")
    name = relative(domain.name, parent)
    names: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    glue = {}
    for item in provider.sets(parent):
        if item.name == name and item.type == "NS":
            names = tuple(sorted(value.removesuffix(".").lower() for value in item.values))
        elif item.name == name and item.type == "DS":
            signers = tuple(sorted(value.lower() for value in item.values))
        elif item.type in _GLUE and item.name.endswith(f".{name}"):
            glue[absolute(item.name, parent), item.type] = item.values
    return Above(names, glue, signers)


def _glue(domain: DomainSpec, names: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Addresses of nameservers inside the zone: nobody finds those without (RFC 1034, section 4.2.1).

    Raises:
        TerminalError: the spec has none.
    """
    sets = wanted(domain, {}).by_key
    found = {}
    for name in names:
        if not name.endswith(f".{domain.name}"):
            continue
        inside = relative(name, domain.name)
        own = {(name, type_): sets[inside, type_].values for type_ in _GLUE if (inside, type_) in sets}
        if not own:
            raise TerminalError(
                f"{domain.name}: the nameserver {name} lies inside the zone, and has no address there",
                mend=f"add an A or AAAA record for {inside}",
            )
        found.update(own)
    return found


def _signers(domain: DomainSpec, access: Access) -> tuple[str, ...]:
    """The DS that vouch for the zone's keys, by what its server has; SHA-256 (RFC 8624, section 3.3)."""
    import dns.dnssec  # noqa: PLC0415

    if access.server is None:
        return ()
    answer = ask_signed(access.server, domain.name, "DNSKEY", access.timeout)
    owner = dns.name.from_text(domain.name)
    keys = answer.get_rrset(answer.answer, owner, RdataClass.IN, dns.rdatatype.DNSKEY)
    found = [
        dns.dnssec.make_ds(owner, key, "SHA256").to_text().lower()
        for key in keys or ()
        if key.flags & Flag.SEP
    ]
    if not found:
        raise TransientError(f"{domain.name} is being signed, and has no keys yet", retry_after=2.0)
    return tuple(sorted(found))


def _changes(name: str, parent: str, now: Above, want: Above) -> Iterator[RecordChange]:
    yield from _change(
        RecordSet(name, "NS", TTL, _dotted(now.names)), RecordSet(name, "NS", TTL, _dotted(want.names))
    )
    yield from _change(RecordSet(name, "DS", TTL, now.signers), RecordSet(name, "DS", TTL, want.signers))
    for key in sorted(now.glue.keys() | want.glue.keys()):
        inside = relative(key[0], parent)
        yield from _change(
            RecordSet(inside, key[1], TTL, now.glue.get(key, ())),
            RecordSet(inside, key[1], TTL, want.glue.get(key, ())),
        )


def _change(before: RecordSet, after: RecordSet) -> Iterator[RecordChange]:
    if before.values == after.values:
        return
    kind = (
        ChangeKind.UPDATE
        if before.values and after.values
        else ChangeKind.CREATE
        if after.values
        else ChangeKind.DELETE
    )
    yield RecordChange(kind, before if before.values else None, after if after.values else None)


def _dotted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(f"{name}." for name in names))
