"""Takes servers out of a running haproxy's rotation and puts them back, and says as JSON how that went.

The controller sends it to `python3 -IS -` as root on a balancer, with a call of `main` behind it; nothing of
it stays but a file for each server below /run that says whose order was the last. It uses the standard
library alone.

A server goes in two moves. Drained, it gets no new visitor and keeps those it has; when the last one is
gone, or the time is up, it goes into maintenance, in which nothing is asked of it, checks included. It comes
back in two as well: out of maintenance haproxy would call it UP at once, and send visitors before it has
looked (2.6, seen: `UP 1/2`), so it is drained first, and made ready when haproxy's own check has passed.

A reload makes a new worker that knows of none of this, while old ones finish with their visitors: so every
look asks all workers anew, old ones through the master's socket, and repeats what one does not know.
"""

import fcntl
import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ADMIN = "/run/haproxy/admin.sock"
MASTER = "/run/haproxy-master.sock"
ORDERS = Path("/run/otto-rotation")
BACKEND = "web"
SECONDS = 3.0
LONGEST = 8 << 20
PAUSE = 0.05
# A request may be between being given to a server and being counted: it is quiet when it is so twice.
QUIET = 2
OLD_WORKER = re.compile(r"(\d+)\s+worker\s")
# What haproxy puts before the last check's result while the next check is underway (management guide, 9.1).
UNDERWAY = "* "
MAINTENANCE, DRAINED, SERVING, UNCHECKED = "MAINT", "DRAIN", "UP", "no check"

Ask = Callable[[str], str]


class RefusedError(Exception):
    """It is not done; the message says why, for people."""


class Row(NamedTuple):
    """What haproxy's statistics say of a server: its status, its sessions, what its last check gave."""

    status: str
    sessions: int
    check: str


def asked(path: str, command: str) -> str:
    """What haproxy answers.

    Raises:
        OSError: nobody listens there.
    """
    chunks, size = [], 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)  # the master's socket waits for more otherwise
        while (chunk := connection.recv(65536)) and size < LONGEST:
            chunks.append(chunk)
            size += len(chunk)
    return b"".join(chunks).decode("utf-8", "replace")


def current(command: str) -> str:
    """What the worker answers that takes new visitors."""
    return asked(ADMIN, command)


def earlier() -> list[Ask]:
    """The workers that finish with the visitors they had before a reload, each to be asked."""
    try:
        listed = asked(MASTER, "show proc")
    except OSError:  # haproxy runs without one, or not at all
        return []
    old = listed.partition("# old workers")[2].partition("# programs")[0]
    return [through(number) for number in OLD_WORKER.findall(old)]


def through(number: str) -> Ask:
    """A worker, asked through the master."""
    return lambda command: asked(MASTER, f"@!{number} {command}")


def rows(ask: Ask) -> dict[str, Row]:
    """Server -> what the statistics say of it."""
    lines = ask(f"show stat {BACKEND} 4 -1").removeprefix("# ").splitlines()
    names = lines[0].split(",") if lines else []
    found = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
    return {
        row["svname"]: Row(
            row.get("status", ""),
            int(row.get("scur") or 0) + int(row.get("qcur") or 0),
            row.get("check_status", "").removeprefix(UNDERWAY),
        )
        for row in found
        if "svname" in row
    }


def takes_visitors(row: Row) -> bool:
    """Whether new visitors are sent there."""
    return row.status.startswith((SERVING, UNCHECKED))


def moments(seconds: float) -> Iterator[None]:
    """One at once, others each a pause later, until so many seconds have passed."""
    deadline = time.monotonic() + seconds
    yield
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(PAUSE, left))
        yield


class Order:
    """An order about servers; the last one about a server holds, whoever gave it.

    A controller may have been killed, and its order may go on: it must not put a server aside that the next
    one has brought back.
    """

    def __init__(self, servers: Iterable[str]) -> None:
        self.name = os.urandom(16).hex()
        ORDERS.mkdir(mode=0o700, exist_ok=True)
        with locked():
            for server in servers:
                (ORDERS / server).write_text(self.name)

    def tell(self, ask: Ask, server: str, words: str) -> None:
        """Say something about a server.

        Raises:
            RefusedError: there was another order about it since.
        """
        with locked():
            if (ORDERS / server).read_text() != self.name:
                raise RefusedError(f"another order about {server} came after this one")
            ask(words.format(f"{BACKEND}/{server}"))


@contextmanager
def locked() -> Iterator[None]:
    """Nobody else gives orders in the block."""
    folder = os.open(ORDERS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def drained(order: Order, servers: Iterable[str]) -> dict[str, int]:
    """Have every worker send nobody new to servers; server -> visitors they still have."""
    left = dict.fromkeys(servers, 0)
    for ask in (current, *earlier()):
        try:
            found = rows(ask)
            for server in left.keys() & found.keys():
                if not found[server].status.startswith((MAINTENANCE, DRAINED)):
                    order.tell(ask, server, "set server {} state drain")
                left[server] += found[server].sessions
        except OSError:
            if ask is current:
                raise
            continue  # an old worker has ended meanwhile
    return left


def refuse_the_last(found: Mapping[str, Row], servers: Iterable[str]) -> None:
    """See to it that somebody is left to serve.

    Raises:
        RefusedError: nobody would be.
    """
    going = set(servers)
    loses = any(takes_visitors(row) for name, row in found.items() if name in going)
    if loses and not any(takes_visitors(row) for name, row in found.items() if name not in going):
        raise RefusedError("no other server is UP: nobody would be left to serve")


def set_aside(servers: list[str], seconds: float) -> dict[str, int]:
    """Take servers out of rotation; server -> visitors that were left when the time was up.

    A server that this haproxy does not know gets no visitor from it.

    Raises:
        RefusedError: it goes on sending visitors there.
        OSError: haproxy does not run.
    """
    found = rows(current)
    known = [server for server in servers if server in found]
    refuse_the_last(found, known)
    order, quiet, left = Order(known), 0, dict.fromkeys(servers, 0)
    for _ in moments(seconds):
        left |= drained(order, known)
        quiet = 0 if any(left.values()) else quiet + 1
        if quiet == QUIET:
            break
    for server in known:
        order.tell(current, server, "set server {} state maint")
    found = rows(current)
    if going_on := [server for server in known if takes_visitors(found[server])]:
        raise RefusedError(f"haproxy does not do as told: {told(found, going_on)}")
    return left


def bring_back(servers: list[str], seconds: float) -> dict[str, int]:
    """Put servers back into rotation, and wait until all of them are UP.

    Raises:
        RefusedError: one is not UP in time; it stays without visitors until it is well and asked for again.
    """
    order, found, why = Order(servers), dict[str, Row](), ""
    for _ in moments(seconds):
        try:
            found, why = rows(current), ""
        except OSError as error:  # it may be starting
            found, why = {}, f"haproxy does not run: {error.strerror or error}"
            continue
        if all(server in found and found[server].status == SERVING for server in servers):
            return {}
        for server in found.keys() & servers:
            if step := next_step(found[server]):
                order.tell(current, server, step)
    late = [server for server in servers if server not in found or found[server].status != SERVING]
    raise RefusedError(why or f"not UP in {seconds:g} s: {told(found, late)}")


def next_step(row: Row) -> str:
    """What to say about a server on its way back, nothing while there is something to wait for."""
    if row.status.startswith(MAINTENANCE):
        return "set server {} state drain"
    if row.status == UNCHECKED:
        return "enable health {}"
    # With a fraction behind it, haproxy has not looked often enough yet.
    return "set server {} state ready" if row.status == DRAINED else ""


def told(found: Mapping[str, Row], servers: Iterable[str]) -> str:
    """How servers are, in words."""
    return ", ".join(f"{server} is {state(found.get(server))}" for server in servers)


def state(row: Row | None) -> str:
    """A server's status and what its last check gave."""
    return f"{row.status} {row.check}".strip() if row else "unknown to it"


def main(verb: str, servers: list[str], seconds: float) -> None:
    """Do one of the two, and print what came of it."""
    answer: dict[str, object]
    try:
        answer = {"left": {"set_aside": set_aside, "bring_back": bring_back}[verb](servers, seconds)}
    except RefusedError as error:
        answer = {"refused": str(error)}
    except OSError as error:
        answer = {"off": error.strerror or str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
