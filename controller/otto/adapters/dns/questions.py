"""Questions about names, many at once, as a stub resolver asks them; no signatures, no updates."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

T = TypeVar("T")

DNS_PORT = 53
_PAYLOAD = 1232  # https://www.dnsflagday.net/2020
_AT_ONCE = 64
_TRIES = 2
_SAYING = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


@dataclass(frozen=True, slots=True)
class Place:
    """A server that can be asked.

    Attributes:
        name: what people call it: a host name, or its address.
        address: IPv4 or IPv6.
        port: of UDP and TCP.
        recursive: whether it is a resolver, and not one with authority.
    """

    name: str
    address: str
    port: int = DNS_PORT
    recursive: bool = False

    def __str__(self) -> str:
        return self.name if self.name == self.address else f"{self.name} ({self.address})"

    def command(self, name: str, type_: str, *options: str) -> str:
        """How a person asks the same."""
        port = () if self.port == DNS_PORT else ("-p", str(self.port))
        plain = () if self.recursive else ("+norecurse",)
        return " ".join(("dig", f"@{self.address}", *port, *plain, *options, name, type_))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        message: the answer, None when there was none.
        trouble: why there was none.
    """

    message: dns.message.Message | None
    trouble: str = ""

    @property
    def authoritative(self) -> bool:
        """Whether it was given with authority."""
        return self.message is not None and bool(self.message.flags & dns.flags.AA)

    @property
    def code(self) -> str:
        """Its code, as `NOERROR`; "" without an answer."""
        return dns.rcode.to_text(self.message.rcode()) if self.message else ""

    @property
    def usable(self) -> bool:
        """Whether it says what there is, be it nothing; a refusal or a server's failure says neither."""
        return self.message is not None and self.message.rcode() in _SAYING

    def values(self, name: str, type_: str) -> frozenset[str]:
        """The record set that was asked for, as texts; a delegation counts (RFC 1034, section 4.2.1)."""
        found = self.rrset(name, type_)
        return frozenset(rdata.to_text() for rdata in found or ())

    def rrset(self, name: str, type_: str) -> dns.rrset.RRset | None:
        """The record set that was asked for."""
        if self.message is None:
            return None
        wanted = dns.name.from_text(name)
        kind = dns.rdatatype.from_text(type_)
        sections = [self.message.answer] + ([self.message.authority] if type_ == "NS" else [])
        for section in sections:
            found = self.message.get_rrset(section, wanted, dns.rdataclass.IN, kind)
            if found is not None:
                return found
        return None

    def told(self, name: str, type_: str) -> str:
        """What came, for people."""
        if self.message is None:
            return self.trouble
        values = sorted(self.values(name, type_))
        if values:
            return ", ".join(values)
        return "no such record" if self.code == "NOERROR" else self.code


async def ask(place: Place, name: str, type_: str, seconds: float, *, dnssec: bool = False) -> Answer:
    """Ask by UDP, by TCP when the answer does not fit; once more when nothing comes.

    Args:
        place: whom.
        name: absolute, with or without its last dot.
        type_: of the record set.
        seconds: to wait for one answer.
        dnssec: whether signatures are asked for.
    """
    query = dns.message.make_query(
        dns.name.from_text(name), type_, use_edns=0, payload=_PAYLOAD, want_dnssec=dnssec
    )
    if not place.recursive:
        query.flags &= ~dns.flags.RD
    trouble = ""
    for _ in range(_TRIES):
        try:
            answer, _by_tcp = await dns.asyncquery.udp_with_fallback(
                query, place.address, timeout=seconds, port=place.port, ignore_unexpected=True
            )
        except dns.exception.Timeout:
            trouble = f"no answer within {seconds:g} s"
        except (OSError, EOFError) as error:
            trouble = getattr(error, "strerror", None) or "the connection ended"
        except dns.exception.DNSException as error:
            return Answer(None, f"what is no answer: {type(error).__name__}")
        else:
            return Answer(answer)
    return Answer(None, trouble)


async def gathered(work: Iterable[Awaitable[T]]) -> list[T]:
    """Do all, some at once; results in order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Awaitable[T]) -> T:
        async with places:
            return await each

    return await asyncio.gather(*(one(each) for each in work))
