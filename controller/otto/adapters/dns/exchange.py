"""One question to one DNS server, and what may go wrong with it."""

import base64
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.xfr
from dns.rdataclass import RdataClass

from otto.adapters.dns.access import Server
from otto.model.errors import OttoError, TerminalError, TransientError

T = TypeVar("T")

FUDGE = 300
"""Seconds by which the clocks of both ends may differ (RFC 8945, section 10)."""

_PAYLOAD = 1232  # https://www.dnsflagday.net/2020: what no path fragments
_TIME = 6
# Knot answers NOTAUTH, too, to whom its acl does not let.
_KEYLESS = "name a key that may: spec.server.keyName and key, or --key-name and --key"
_ACL = "let the key there: an acl with it and its action (Knot)"
_UNSERVED = (dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NXDOMAIN)


def key_of(server: Server) -> dns.tsig.Key | None:
    """The TSIG key of a server, None for none.

    Raises:
        TerminalError: it is none.
    """
    if not server.key_name:
        return None
    name = server.algorithm if server.algorithm.endswith(".") else f"{server.algorithm}."
    algorithm = dns.name.from_text(name.lower())
    if algorithm not in dns.tsig.mac_sizes:
        known = ", ".join(sorted(each.to_text(omit_final_dot=True) for each in dns.tsig.mac_sizes))
        raise TerminalError(
            f"TSIG key {server.key_name}: unknown algorithm {server.algorithm}", mend=f"one of: {known}"
        )
    try:
        secret = base64.b64decode("".join(server.key.split()), validate=True)
        return dns.tsig.Key(server.key_name, secret, algorithm)
    except ValueError as error:
        raise TerminalError(
            f"TSIG key {server.key_name}: the secret is not base64",
            mend="put what tsig-keygen or keymgr prints there",
        ) from error


def address_of(server: Server) -> str:
    """The address of a server, looked up if it is a name.

    Raises:
        TransientError: nothing is known of that name.
    """
    if dns.inet.is_address(server.address):
        return server.address
    try:
        found = socket.getaddrinfo(server.address, server.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransientError(
            f"{server.address} is not found: {error.strerror}", mend="correct spec.server.address"
        ) from error
    return str(found[0][4][0])


def tcp(message: dns.message.Message, server: Server, zone: str, seconds: float) -> dns.message.Message:
    """Send a message over TCP, and what came back; whatever its code.

    Raises:
        OttoError: there is no answer, or it does not speak to us.
    """
    key = key_of(server)
    if key:
        message.use_tsig(key, fudge=FUDGE)
    where = address_of(server)
    return guarded(lambda: dns.query.tcp(message, where, seconds, server.port), server, zone)


def ask(server: Server, name: str, type_: str, seconds: float, *, signed: bool = True) -> dns.message.Message:
    """A question over TCP, not recursive, and the answer, whatever its code.

    Raises:
        OttoError: as `tcp`.
    """
    query = dns.message.make_query(f"{name}.", type_, use_edns=0, payload=_PAYLOAD)
    query.flags &= ~dns.flags.RD
    plain = server if signed else Server(server.address, server.port)
    return tcp(query, plain, name, seconds)


def serial_of(server: Server, zone: str, seconds: float) -> int | None:
    """Serial of a zone on a server, None where it does not serve the zone.

    Raises:
        OttoError: it does not answer, or does not speak to us.
    """
    answer = ask(server, zone, "SOA", seconds, signed=False)
    if server.key_name and answer.rcode() in _UNSERVED:  # it may show itself to who has the key alone
        try:
            answer = ask(server, zone, "SOA", seconds)
        except TransientError as error:
            if isinstance(error.__cause__, dns.exception.FormError):  # it signs no refusal
                return None
            raise
    if answer.rcode() in _UNSERVED:
        return None
    if answer.rcode() != dns.rcode.NOERROR:
        refused(answer.rcode(), server, zone)
    name = dns.name.from_text(zone)
    found = answer.get_rrset(answer.answer, name, RdataClass.IN, dns.rdatatype.SOA)
    if found is None or not answer.flags & dns.flags.AA:
        return None
    return int(found[0].serial)


def guarded(work: Callable[[], T], server: Server, zone: str) -> T:
    """Do something with a server; its errors in our words.

    Raises:
        OttoError: it went wrong.
    """
    try:
        return work()
    except OttoError:
        raise
    except dns.tsig.PeerBadTime as error:
        raise skewed(server, zone) from error
    except dns.tsig.PeerError as error:
        raise _bad_key(error, server) from error
    except dns.xfr.TransferError as error:
        refused(error.rcode, server, zone, transfer=True)
    except dns.tsig.BadTime as error:
        raise _clock(server, None) from error
    except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm) as error:
        raise TerminalError(
            f"{server}: the answer is not signed with the key {server.key_name}",
            mend="compare the key on both ends",
        ) from error
    except (dns.exception.Timeout, TimeoutError) as error:
        raise TransientError(
            f"{server} does not answer in time about {zone}",
            mend=f"see whether it runs: dig @{server.address} -p {server.port} {zone} SOA",
        ) from error
    except (OSError, ssl.SSLError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it ended the connection"
        raise TransientError(
            f"{server} cannot be reached about {zone}: {why}",
            mend=f"see whether it runs: dig @{server.address} -p {server.port} {zone} SOA",
        ) from error
    except dns.exception.DNSException as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise TransientError(f"{server} answers what is no DNS about {zone}: {words}") from error


def refused(code: int, server: Server, zone: str, *, transfer: bool = False) -> NoReturn:
    """What a code means that is not success.

    Raises:
        OttoError: always.
    """
    what, right = ("transfer", "transfer") if transfer else ("change", "update")
    whom = f"the key {server.key_name}" if server.key_name else "us (no key is given)"
    name = dns.rcode.to_text(dns.rcode.Rcode.make(code))
    if code == dns.rcode.REFUSED:
        raise TerminalError(
            f"{server} refuses {whom} to {what} {zone} (REFUSED)",
            mend=f"let it there: allow-{right} (BIND), an acl with action {right} (Knot)",
        )
    if code == dns.rcode.NOTAUTH:
        raise TerminalError(
            f"{server} has no authority over {zone}, or does not let {whom} {what} it (NOTAUTH)",
            mend=f"{_KEYLESS if not server.key_name else _ACL}; or name the zone's primary server",
        )
    if code == dns.rcode.NOTIMP:
        raise TerminalError(
            f"{server} knows no {what}s of zones (NOTIMP)",
            mend="set spec.server to the zone's primary server",
        )
    raise TransientError(f"{server} fails to {what} {zone} ({name})", mend="see the log of the server")


def skewed(server: Server, zone: str) -> TerminalError | TransientError:
    """The error for a server that refuses our time, with how far off it is (RFC 8945, section 5.2.3)."""
    offset = None
    with contextlib.suppress(dns.exception.DNSException, OSError, EOFError, OttoError):
        offset = _offset(server, zone)
    return _clock(server, offset)


def _offset(server: Server, zone: str) -> float | None:
    """Seconds by which the server's clock is ahead of ours, told by its refusal."""
    query = dns.message.make_query(f"{zone}.", "SOA")
    query.use_tsig(key_of(server), fudge=FUDGE)
    seconds = 3.0
    with socket.create_connection((address_of(server), server.port), timeout=seconds) as stream:
        stream.setblocking(False)  # noqa: FBT003
        until = time.time() + seconds
        dns.query.send_tcp(stream, query.to_wire(), until)
        answer, _ = dns.query.receive_tcp(stream, until, keyring=False)  # type: ignore[arg-type]  # "do not verify"
    told = answer.tsig[0].other if answer.tsig else b""
    return int.from_bytes(told) - time.time() if len(told) == _TIME else None


def _clock(server: Server, offset: float | None) -> TransientError:
    far = (
        f"by {abs(offset):.0f} s ({'ahead of' if offset > 0 else 'behind'} ours)"
        if offset
        else f"by more than {FUDGE} s"
    )
    return TransientError(
        f"{server}: its clock differs {far}, so it takes no signature (BADTIME)",
        mend="set both clocks by NTP: timedatectl set-ntp true",
    )


def _bad_key(error: dns.tsig.PeerError, server: Server) -> TerminalError:
    if isinstance(error, dns.tsig.PeerBadKey):
        return TerminalError(
            f"{server} does not know the key {server.key_name} with {server.algorithm} (BADKEY)",
            mend="give name and algorithm as the server has them: spec.server.keyName, spec.server.algorithm",
        )
    return TerminalError(
        f"{server}: the secret of the key {server.key_name} is not the one it has (BADSIG)",
        mend="put the secret that the server has where spec.server.key refers to",
    )
