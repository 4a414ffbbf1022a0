"""The probe against real servers on this machine that behave badly in every way we know."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest
from tests.integration.servers import Handler, serving

from otto.adapters.clock import SystemClock
from otto.adapters.probe import HttpProbe
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.ports import Probe


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    async with HttpProbe(SystemClock(), body_limit=1000) as made:
        yield made


def saying(*parts: bytes, pause: float = 0) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def request(port: int, path: str = "/", host: str = "", timeout: float = 5.0) -> ProbeRequest:
    return ProbeRequest("127.0.0.1", port, path, host, timeout)


async def ask(probe: Probe, handler: Handler, *, limit: float = 5.0) -> ProbeResult:
    async with serving(handler) as port:
        return await probe.get(request(port, timeout=limit))


def reason(result: ProbeResult) -> str:
    assert isinstance(result, NoAnswer), result
    return result.reason


def answer(result: ProbeResult) -> Answer:
    assert isinstance(result, Answer), result
    return result


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Otto-Server: a\r\n\r\nok"


async def test_an_answer_comes_with_status_headers_body_and_time(probe: HttpProbe) -> None:
    got = answer(await ask(probe, saying(OK)))
    assert (got.status, got.body, got.headers["x-otto-server"]) == (200, "ok", "a")
    assert 0 < got.seconds < 5


async def test_the_request_is_the_one_asked_for(probe: HttpProbe) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    async with serving(handler) as port:
        answer(await probe.get(request(port, "/a%2Fb;x?q=%41&r=a+b", host="www.acme.example")))
        answer(await probe.get(request(port, "/")))
    lines = seen[0].decode().lower().split("\r\n")
    assert seen[0].startswith(b"GET /a%2Fb;x?q=%41&r=a+b HTTP/1.1\r\n")
    assert "host: www.acme.example" in lines
    assert "connection: close" in lines
    assert "accept-encoding: identity" in lines
    assert f"Host: 127.0.0.1:{port}".encode() in seen[1]


async def test_each_request_has_a_connection_of_its_own(probe: HttpProbe) -> None:
    peers: set[object] = set()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        await writer.drain()
        await reader.read()

    async with serving(handler) as port:
        for _ in range(5):
            answer(await probe.get(request(port)))
    assert len(peers) == 5


async def test_redirects_are_answers(probe: HttpProbe) -> None:
    got = answer(
        await ask(
            probe, saying(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        )
    )
    assert (got.status, got.headers["location"]) == (301, "http://127.0.0.1:1/")


async def test_cookies_are_not_sent_back(probe: HttpProbe) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")

    async with serving(handler) as port:
        for _ in range(2):
            answer(await probe.get(request(port, host="www.acme.example")))
    assert b"cookie" not in seen[1].lower()


async def test_a_proxy_in_the_environment_is_not_used(
    probe: HttpProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert answer(await ask(probe, saying(OK))).status == 200


async def test_a_header_sent_twice_is_joined(probe: HttpProbe) -> None:
    got = answer(await ask(probe, saying(b"HTTP/1.1 204 No\r\nVary: a\r\nVARY: b\r\n\r\n")))
    assert got.headers["vary"] == "a, b"


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (b"text/html; charset=utf-8", "grün".encode(), "grün"),
        (b"text/html", b"gr\xfcn", "gr\ufffdn"),
        (b"text/html; charset=ISO-8859-1", b"gr\xfcn", "grün"),
        (b"text/html; charset=rot13", b"abc", "abc"),
        (b"text/html; charset=no-such", b"abc", "abc"),
    ],
)
async def test_bodies_become_text(probe: HttpProbe, kind: bytes, body: bytes, text: str) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)
    assert answer(await ask(probe, saying(sent))).body == text


async def test_a_huge_body_is_cut(probe: HttpProbe) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n"
    assert answer(await ask(probe, saying(head, *[b"x" * 4096] * 10))).body == "x" * 1000


async def test_an_endless_chunked_body_is_cut(probe: HttpProbe) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert len(answer(await ask(probe, saying(head, *[b"5\r\nhello\r\n"] * 400))).body) == 1000


async def test_a_compressed_body_does_not_grow(probe: HttpProbe) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
    assert len(answer(await ask(probe, saying(head))).body) == 3


async def test_nobody_listens(probe: HttpProbe) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert reason(await probe.get(request(port))) == "connection refused"


async def test_a_server_that_says_nothing(probe: HttpProbe) -> None:
    got = await ask(probe, saying(b"", pause=60), limit=0.2)
    assert reason(got) == "timed out after 0.2 s"
    assert 0.15 < got.seconds < 3


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
async def test_a_server_that_drips(probe: HttpProbe, head: bytes) -> None:
    drips = [bytes([letter]) for letter in b"X-A: b\r\n" * 100]
    assert reason(await ask(probe, saying(head, *drips, pause=0.02), limit=0.3)) == "timed out after 0.3 s"


async def test_a_server_that_hangs_up(probe: HttpProbe) -> None:
    assert reason(await ask(probe, saying())) == "connection closed before an answer"


async def test_a_server_that_hangs_up_in_the_middle(probe: HttpProbe) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    assert reason(await ask(probe, saying(sent))) == "connection closed in the middle of the answer"


async def test_a_server_that_resets(probe: HttpProbe) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )

    assert reason(await ask(probe, handler)) in ("connection reset", "connection closed before an answer")


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x1b[2J\x07 garbage\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: a\r\n" * 5000 + b"\r\n",
    ],
)
async def test_a_server_that_talks_nonsense(probe: HttpProbe, garbage: bytes) -> None:
    why = reason(await ask(probe, saying(garbage)))
    assert why.startswith(("not an HTTP answer: ", "connection closed"))
    assert why.isprintable()
    assert len(why) < 160


@pytest.mark.parametrize(
    "bad",
    [
        ProbeRequest("127.0.0.1", 80, "/\r\nX: y"),
        ProbeRequest("127.0.0.1", 80, "no-slash"),
        ProbeRequest("127.0.0.1", 80, "/ü"),
        ProbeRequest("127.0.0.1", 1, "/", host="a\r\nX: y"),
        ProbeRequest("127.0.0.1", 70_000, "/"),
    ],
)
async def test_requests_that_cannot_be_made_say_so(probe: HttpProbe, bad: ProbeRequest) -> None:
    assert reason(await probe.get(bad)).startswith("not a request that can be made: ")


async def test_a_host_header_cannot_smuggle_another(probe: HttpProbe) -> None:
    async with serving(saying(OK)) as port:
        assert "no host's name" in reason(await probe.get(request(port, host="a\r\nX: y")))


async def test_a_name_nobody_knows(probe: HttpProbe) -> None:
    assert (
        reason(await probe.get(ProbeRequest("nowhere.invalid", 80, "/")))
        == "no address known for nowhere.invalid"
    )


async def test_addresses_of_version_six(probe: HttpProbe) -> None:
    async with serving(saying(OK), "::1") as port:
        assert answer(await probe.get(ProbeRequest("::1", port, "/"))).status == 200


async def test_waiting_for_a_place_costs_none_of_the_time_limit() -> None:
    busy, most = 0, 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        busy -= 1
        writer.write(OK)

    async with HttpProbe(SystemClock(), concurrency=2) as probe, serving(handler) as port:
        results = await asyncio.gather(*(probe.get(request(port, timeout=0.6)) for _ in range(40)))
    assert all(isinstance(result, Answer) for result in results)
    assert most == 2


async def test_cancelling_a_probe_frees_its_place() -> None:
    async with HttpProbe(SystemClock(), concurrency=1) as probe, serving(saying(b"", pause=60)) as port:
        waiting = asyncio.create_task(probe.get(request(port, timeout=60)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert reason(await probe.get(request(port, timeout=0.1))) == "timed out after 0.1 s"


async def test_a_closed_probe_may_be_used_again() -> None:
    probe = HttpProbe(SystemClock())
    await probe.close()
    assert answer(await ask(probe, saying(OK))).status == 200
    await probe.close()
    assert answer(await ask(probe, saying(OK))).status == 200
    await probe.close()
