"""The HTTP server over real sockets: time limits, reading only, and answers while the controller cannot."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge

from otto.api.app import create_app
from otto.api.server import Limits, serving
from otto.cli.up.listening import listen
from otto.cli.up.serving import ControllerHealth, api
from otto.config import ApiSettings, SourceSettings
from otto.model.errors import TransientError
from otto.reconcile.controller import Controller
from otto.telemetry.health import STALLED, Health
from otto.telemetry.metrics import Metrics
from otto.testing import World, site_spec

PATIENT = Limits()
HASTY = Limits(head=0.3, body=0.3)


class Well:
    """A health that is as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def alive(self) -> Sequence[str]:
        if self._error:
            raise self._error
        return ()

    async def ready(self) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request, made without an event loop: whoever calls this holds his own up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )
    finally:
        connection.close()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        yield client


def until_closed(client: socket.socket) -> bytes:
    """All that comes until the other side ends or cuts the connection."""
    received = b""
    try:
        while more := client.recv(65536):
            received += more
    except ConnectionResetError:
        pass
    return received


@asynccontextmanager
async def served(
    limits: Limits = PATIENT, health: Well | None = None, registry: CollectorRegistry | None = None
) -> AsyncIterator[int]:
    """A server on a free port."""
    listener = listen(ApiSettings(port=0))
    port = listener.getsockname()[1]
    app = create_app(registry or CollectorRegistry(), health or Well(), "1.2.3")
    async with serving(app, listener, limits):
        yield port


def large() -> CollectorRegistry:
    """More than the buffers between two sockets hold."""
    registry = CollectorRegistry()
    gauge = Gauge("otto_large", "Large.", ["label"], registry=registry)
    for number in range(40_000):
        gauge.labels(f"{number:0200}")
    return registry


async def test_many_requests_on_one_connection_and_a_clean_end() -> None:
    before = threading.active_count()
    async with served() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(3):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())) == (200, {"status": "ok"})
            assert answer.getheader("connection") != "close"
            assert answer.getheader("cache-control") == "no-store"
            assert answer.getheader("server") is None
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert threading.active_count() <= before


async def test_head_is_get_without_its_body() -> None:
    async with served() as port:
        got, asked = ask(port, "/metrics"), ask(port, "/metrics", "HEAD")
        assert asked.status == 200
        assert asked.body == b""
        assert asked.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


async def test_what_is_no_reading_is_refused() -> None:
    async with served() as port:
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
            answer = ask(port, "/metrics", method)
            assert answer.status == 405, method
            assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_mistake_tells_nothing_of_its_inside_and_ends_nothing() -> None:
    async with served(health=Well(ZeroDivisionError("secret inside"))) as port:
        answer = ask(port, "/healthz")
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert b"Traceback" not in answer.body
        assert ask(port, "/readyz").status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /metrics HT",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n",
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_a_client_that_never_ends_its_request_is_cut_off(sent: bytes) -> None:
    async with served(HASTY) as port:
        with connected(port) as client:
            client.sendall(sent)
            assert until_closed(client) == b""
        assert ask(port, "/healthz").status == 200


async def test_drops_of_a_request_do_not_keep_a_connection() -> None:
    async with served(HASTY) as port:
        with connected(port) as client:
            began = time.monotonic()
            with pytest.raises(OSError):  # noqa: PT012  (cut off at some byte)
                for _ in range(200):
                    client.sendall(b"G")
                    await asyncio.sleep(0.02)
            assert time.monotonic() - began < 3


async def test_an_idle_connection_is_closed_in_order() -> None:
    async with served(Limits(idle=1)) as port:
        with connected(port) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert until_closed(client).endswith(b'{"status":"ok"}')


async def test_an_idle_connection_gives_its_place_to_who_asks() -> None:
    async with served(Limits(connections=3)) as port:
        with connected(port) as idle, connected(port):
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(65536).startswith(b"HTTP/1.1 200")
            assert ask(port, "/healthz").status == 200
            assert until_closed(idle) in (b"", b'{"status":"ok"}')


async def test_one_address_gets_half_of_the_connections() -> None:
    async with served(Limits(connections=4, proxies=frozenset())) as port:
        with connected(port), connected(port), connected(port) as third:
            assert until_closed(third) == b""
        await until_status(port, 200)


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with served(Limits(reading=3, connections=2), registry=large()) as port:
        whole = len(ask(port, "/metrics").body)
        with connected(port) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            await until_status(port, 503)  # its place is taken ...
            await until_status(port, 200)  # ... and given back, although nothing was read
            assert 0 < len(until_closed(client)) < whole


async def until_status(port: int, status: int) -> None:
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(ask, port, "/healthz")).status != status:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nX-Long: " + b"x" * 200_000, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /healthz?" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400),
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    ],
)
async def test_what_is_no_good_http_is_refused_with_a_problem_and_ends_its_connection(
    sent: bytes, status: int
) -> None:
    async with served() as port:
        with connected(port) as client:
            client.sendall(sent)
            answer = until_closed(client)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert json.loads(body)["status"] == status
        for needed in (b"application/problem+json", b"x-request-id: ", b"nosniff", b"connection: close"):
            assert needed in head.lower()
        assert ask(port, "/healthz").status == 200


async def test_no_second_request_hides_behind_a_body_of_two_lengths() -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served() as port:
        with connected(port) as client:
            client.sendall(head % (5 + len(hidden)) + b"0\r\n\r\n" + hidden)
            answer = until_closed(client)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_nobody_is_believed_to_have_used_tls_or_to_come_from_elsewhere() -> None:
    async with served() as port:
        answer = ask(port, "/healthz", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"})
        assert "strict-transport-security" not in answer.headers


async def test_more_clients_than_there_is_room_for_are_told_so_and_room_comes_back() -> None:
    async with served(Limits(connections=2)) as port:
        with connected(port), connected(port):
            answer = ask(port, "/healthz")
            assert answer.status == answer.data["status"] == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert "retry-after" in answer.headers
        await until_status(port, 200)


@dataclass
class Case:
    """A controller in memory with its API, and the time its health goes by."""

    world: World
    controller: Controller
    health: ControllerHealth
    port: int
    passed: float = 0.0


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    world = World()
    world.push(site_spec())
    metrics = Metrics(health=Health(longest_work=600, now=lambda: made.passed if made else 0.0))
    made: Case | None = None
    kit = replace(world.kit(), metrics=metrics)
    controller = Controller(kit, tmp_path, SourceSettings(), lambda _: nullcontext(world.source))
    listener = listen(ApiSettings(port=0))
    port = listener.getsockname()[1]
    async with api(controller, listener) as health:
        made = Case(world, controller, health, port)
        yield made


@asynccontextmanager
async def at_work(case: Case) -> AsyncIterator["asyncio.Task[None]"]:
    await case.controller.start()
    task = asyncio.create_task(case.controller.run())
    case.health.watch(task)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def there(case: Case, path: str) -> Answer:
    """Asked from another thread, as by somebody else: the controller's loop goes on."""
    return await asyncio.to_thread(ask, case.port, path)


async def test_it_answers_before_the_controller_has_started(case: Case) -> None:
    assert (await there(case, "/healthz")).status == 200
    answer = await there(case, "/readyz")
    assert answer.status == 503
    assert answer.data["reasons"] == ["the source was never read"]
    assert b"otto_alive 1.0" in (await there(case, "/metrics")).body


async def test_it_is_ready_once_the_repository_was_read(case: Case) -> None:
    async with at_work(case):
        assert (await there(case, "/readyz")).status == 200


async def test_a_store_that_cannot_be_written_makes_it_unready_but_not_dead(case: Case) -> None:
    async with at_work(case):
        case.world.store.failures.always("set_value", TransientError("the disk is full"))
        answer = await there(case, "/readyz")
        assert answer.data["reasons"] == ["the store cannot be written: the disk is full"]
        assert (await there(case, "/healthz")).status == 200


async def test_a_loop_that_stands_still_is_told_by_a_server_that_does_not(case: Case) -> None:
    async with at_work(case):
        assert (await there(case, "/healthz")).status == 200
        case.passed += STALLED + 1
        # These wait in the controller's own thread: its event loop cannot turn meanwhile.
        dead, unready, metrics = (ask(case.port, path) for path in ("/healthz", "/readyz", "/metrics"))
        assert dead.status == 503
        assert dead.data["reasons"] == ["the event loop has not turned for 11 s"]
        assert unready.data["reasons"] == [*dead.data["reasons"], "the store does not answer"]
        assert b"otto_alive 0.0" in metrics.body
        assert b"otto_event_loop_lag_seconds 10.0" in metrics.body


async def test_a_worker_that_hangs_makes_it_dead_in_the_end(case: Case) -> None:
    case.world.configuration.failures.hold("configure")
    async with at_work(case):
        while not any(run.steps and run.steps[-1].kind == "configure" for run in await _runs(case)):
            await asyncio.sleep(0)
        case.passed += 601
        answer = await there(case, "/healthz")
        assert answer.status == 503
        assert any(
            "a worker has been at site 'acme' for 601 s" in reason for reason in answer.data["reasons"]
        )


async def _runs(case: Case) -> Sequence[Any]:
    return await case.world.store.runs("acme")


async def test_a_controller_that_ended_is_dead(case: Case) -> None:
    async with at_work(case) as task:
        case.world.queue.close()
        await asyncio.wait({task}, timeout=10)
        answer = await there(case, "/healthz")
        assert answer.data["reasons"] == ["the controller's loop has ended"]
        assert (await there(case, "/readyz")).status == 503
