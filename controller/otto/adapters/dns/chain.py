"""The chain of trust from the zone above down to a zone (RFC 4035, section 5), link by link."""

from collections.abc import Sequence
from typing import Any

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from otto.adapters.dns.questions import Answer, Place, ask
from otto.model.observed import CheckFailure
from otto.model.zone import Aspect, Finding


async def chain(
    zone: str, places: Sequence[Place], parent: str, parent_places: Sequence[Place], seconds: float
) -> Finding:
    """Whether the zone above vouches for the keys of a zone, and these for what it holds.

    Args:
        zone: its name.
        places: servers with authority over it; all are asked, for one may be behind.
        parent: name of the zone above, "" if it was not found.
        parent_places: servers with authority over that.
        seconds: to wait for an answer.
    """
    if not places:
        return Finding(Aspect.DNSSEC, None, "no server answers")
    signers = await _ds(zone, parent, parent_places, seconds)
    if isinstance(signers, CheckFailure):
        return Finding(Aspect.DNSSEC, None, "the zone above cannot be asked for DS", (signers,))
    failures, signed = [], 0
    for place in places:
        failure, has_keys = await _link(zone, place, signers, seconds)
        signed += has_keys
        if failure:
            failures.append(failure)
    if failures:
        return Finding(
            Aspect.DNSSEC, message="the chain of trust is broken", holds=False, failures=tuple(failures)
        )
    if signers and signed:
        return Finding(Aspect.DNSSEC, holds=True, message=f"signed, and vouched for by {parent}")
    if signed:
        return Finding(
            Aspect.DNSSEC, None, f"signed, but {parent or 'the zone above'} holds no DS: nobody validates it"
        )
    return Finding(Aspect.DNSSEC, None, "not signed")


async def _ds(
    zone: str, parent: str, places: Sequence[Place], seconds: float
) -> dns.rrset.RRset | CheckFailure | None:
    """The DS of a zone, verified by the keys of the zone above where that is signed; None for none."""
    last = None
    for place in places:
        answer = await ask(place, zone, "DS", seconds, dnssec=True)
        if not answer.usable:
            told = answer.told(zone, "DS")
            last = CheckFailure(
                f"{zone} DS", str(place), place.command(zone, "DS", "+dnssec"), "an answer", told
            )
            continue
        found = answer.rrset(zone, "DS")
        if found is None:
            return None
        keys = (await ask(place, parent, "DNSKEY", seconds, dnssec=True)).rrset(parent, "DNSKEY")
        if keys is not None and (why := _invalid(answer, zone, "DS", parent, keys)):
            return CheckFailure(
                f"{zone} DS",
                str(place),
                place.command(zone, "DS", "+dnssec"),
                f"a signature of {parent}",
                why,
            )
        return found
    return last


async def _link(
    zone: str, place: Place, signers: dns.rrset.RRset | None, seconds: float
) -> tuple[CheckFailure | None, bool]:
    """What is wrong at one server, and whether it has keys at all."""
    answer = await ask(place, zone, "DNSKEY", seconds, dnssec=True)
    keys = answer.rrset(zone, "DNSKEY")
    command = place.command(zone, "DNSKEY", "+dnssec")
    if keys is None:
        if signers is None:
            return None, False
        return CheckFailure(
            f"{zone} DNSKEY", str(place), command, "keys that the DS names", answer.told(zone, "DNSKEY")
        ), False
    trusted = _trusted(zone, keys, signers) if signers is not None else keys
    if trusted is None:
        tags = ", ".join(str(dns.dnssec.key_id(key)) for key in keys)
        wanted = ", ".join(str(ds.key_tag) for ds in signers or ())
        return CheckFailure(f"{zone} DNSKEY", str(place), command, f"key {wanted}", f"keys {tags}"), True
    if why := _invalid(answer, zone, "DNSKEY", zone, trusted):
        return CheckFailure(f"{zone} DNSKEY", str(place), command, "a valid signature", why), True
    soa = await ask(place, zone, "SOA", seconds, dnssec=True)
    if why := _invalid(soa, zone, "SOA", zone, keys):
        return CheckFailure(
            f"{zone} SOA", str(place), place.command(zone, "SOA", "+dnssec"), "a valid signature", why
        ), True
    return None, True


def _trusted(zone: str, keys: dns.rrset.RRset, signers: dns.rrset.RRset) -> dns.rrset.RRset | None:
    """The keys that a DS names."""
    name = dns.name.from_text(zone)
    found = [
        key for key in keys for ds in signers if ds.key_tag == dns.dnssec.key_id(key) and _same(name, key, ds)
    ]
    return dns.rrset.from_rdata_list(name, keys.ttl, found) if found else None


def _same(name: dns.name.Name, key: Any, ds: Any) -> bool:  # noqa: ANN401  (of rdata, which has no type of its own)
    try:
        return bool(dns.dnssec.make_ds(name, key, ds.digest_type, validating=True) == ds)
    except dns.exception.DNSException:
        return False


def _invalid(answer: Answer, name: str, type_: str, signer: str, keys: dns.rrset.RRset) -> str:
    """Why a record set is not proven by these keys, "" when it is."""
    found = answer.rrset(name, type_)
    if answer.message is None or found is None:
        return answer.trouble or "no answer"
    owner, covers = dns.name.from_text(name), dns.rdatatype.from_text(type_)
    signature = answer.message.get_rrset(
        answer.message.answer, owner, dns.rdataclass.IN, dns.rdatatype.RRSIG, covers
    )
    if signature is None:
        return "no signature"
    try:
        dns.dnssec.validate(found, signature, {dns.name.from_text(signer): keys})
    except dns.exception.DNSException as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""
