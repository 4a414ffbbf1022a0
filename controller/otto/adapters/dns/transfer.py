"""A whole zone from its server (AXFR, RFC 5936), signed where there is a key (RFC 8945, section 5.3.1)."""

import queue
import socket
import struct
import threading

import dns.message
import dns.query
import dns.rdatatype
import dns.xfr
import dns.zone

from otto.adapters.dns.access import Server
from otto.adapters.dns.exchange import address_of, guarded, key_of
from otto.model.errors import TerminalError

MOST = 512 << 20
"""Bytes of a zone at most."""

_LENGTH = struct.Struct(">H")


def transfer(server: Server, zone: str, seconds: float) -> dns.zone.Zone:
    """The zone.

    Args:
        server: which has it.
        zone: its name.
        seconds: to wait for each piece.

    Raises:
        OttoError: the server refuses, does not answer, or sends what is none.
    """
    return guarded(lambda: _transfer(server, zone, seconds), server, zone)


def _transfer(server: Server, zone: str, seconds: float) -> dns.zone.Zone:
    made = dns.zone.Zone(f"{zone}.", relativize=False)
    query, _ = dns.xfr.make_query(made, keyring=key_of(server))
    asked = query.to_wire()
    with socket.create_connection((address_of(server), server.port), timeout=seconds) as stream:
        stream.sendall(_LENGTH.pack(len(asked)) + asked)
        pieces: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        # Knot gives up on who does not read for half a second, and to parse a message may take longer.
        pump = threading.Thread(target=_pump, args=(stream, pieces), daemon=True)
        pump.start()
        try:
            _take(made, query, pieces, seconds, zone)
        finally:
            _hang_up(stream)
            pump.join(seconds)
    return made


def _take(
    made: dns.zone.Zone,
    query: dns.message.Message,
    pieces: "queue.SimpleQueue[bytes | Exception]",
    seconds: float,
    zone: str,
) -> None:
    taken, context = 0, None
    with dns.xfr.Inbound(made, dns.rdatatype.AXFR) as inbound:
        while not inbound.done:
            try:
                piece = pieces.get(timeout=2 * seconds)
            except queue.Empty:
                raise TimeoutError from None
            if isinstance(piece, Exception):
                raise piece
            message = dns.message.from_wire(
                piece,
                keyring=query.keyring,
                request_mac=query.mac,
                xfr=True,
                origin=made.from_wire_origin(),
                tsig_ctx=context,
                multi=True,
            )
            if not query.is_response(message, xfr_continuation=taken > 0):
                raise dns.query.BadResponse
            inbound.process_message(message)
            context = message.tsig_ctx
            taken += len(piece)
            if taken > MOST:
                raise TerminalError(f"{zone} has more than {MOST >> 20} MiB", mend="split the zone")


def _pump(stream: socket.socket, pieces: "queue.SimpleQueue[bytes | Exception]") -> None:
    """Read messages as they come, until the connection ends."""
    try:
        while True:
            (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
            pieces.put(_exactly(stream, length))
    except (OSError, EOFError) as error:
        pieces.put(error)


def _exactly(stream: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = stream.recv(size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


def _hang_up(stream: socket.socket) -> None:
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other end was first
        return
