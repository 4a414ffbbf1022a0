"""Whether an SSH server answers, asked of servers that do and of many that do not."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from tests.integration.servers import Handler, serving

from otto.adapters.clock import SystemClock
from otto.adapters.probe import HttpProbe
from otto.model.errors import TransientError

BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    async with HttpProbe(SystemClock(), concurrency=2) as made:
        yield made


def greeting(*parts: bytes, linger: bool = True) -> Handler:
    """A server that speaks first, as sshd does, and then waits for the other side."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if linger:
            await reader.read()

    return handler


async def answers(probe: HttpProbe, handler: Handler, *, limit: float = 5.0) -> bool:
    async with serving(handler) as port:
        return await probe.ssh("127.0.0.1", port, limit)


@pytest.mark.parametrize(
    "parts",
    [
        (BANNER,),
        (BANNER[:3], BANNER[3:]),
        (b"SSH-1.99-old\n",),
        (b"Welcome.\r\nAuthorised use only.\r\n", BANNER),
        (b"x" * 2000 + b"\r\n", BANNER),
    ],
)
async def test_a_server_that_names_itself_answers(probe: HttpProbe, parts: tuple[bytes, ...]) -> None:
    assert await answers(probe, greeting(*parts))


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"SSH-2.0-cut off",),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
        (b"x SSH-2.0-OpenSSH\r\n",),
        (b"x" * 100_000,),
        (b"chatter\r\n" * 5000, BANNER),
        (b"\xff\x00\r\n",),
    ],
)
async def test_a_server_that_says_something_else_does_not(probe: HttpProbe, parts: tuple[bytes, ...]) -> None:
    assert not await answers(probe, greeting(*parts, linger=False))


async def test_a_server_that_takes_connections_and_says_nothing_does_not(probe: HttpProbe) -> None:
    began = asyncio.get_running_loop().time()
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # the kernel accepts, nobody reads
        assert not await probe.ssh("127.0.0.1", frozen.getsockname()[1], 0.2)
    assert asyncio.get_running_loop().time() - began < 2


async def test_a_server_that_never_ends_its_line_does_not(probe: HttpProbe) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        while True:
            writer.write(b"S")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert not await answers(probe, drip, limit=0.3)


async def test_a_closed_port_and_a_name_nobody_knows_do_not(probe: HttpProbe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert not await probe.ssh("127.0.0.1", port, 2)
    assert not await probe.ssh("nowhere.invalid", 22, 2)


async def test_the_connection_is_closed_whatever_came_of_it(probe: HttpProbe) -> None:
    ended = asyncio.Queue[str]()

    def telling(handler: Handler, name: str) -> Handler:
        async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await handler(reader, writer)
            await reader.read()
            ended.put_nowait(name)

        return told

    for name, said in (("named", BANNER), ("nonsense", b"no\r\n" * 3000), ("silent", b"")):
        async with serving(telling(greeting(said, linger=False), name)) as port:
            assert await probe.ssh("127.0.0.1", port, 0.3) is (name == "named")
            assert await asyncio.wait_for(ended.get(), 5) == name


async def test_questions_wait_for_a_place_as_requests_do(probe: HttpProbe) -> None:
    busy = most = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.02)
        busy -= 1
        await greeting(BANNER)(reader, writer)

    async with serving(handler) as port:
        found = await asyncio.gather(*(probe.ssh("127.0.0.1", port, 0.5) for _ in range(40)))
    assert all(found)
    assert most == 2


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno(), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_our_own_want_of_files_is_not_the_hosts_silence(probe: HttpProbe) -> None:
    async with serving(greeting(BANNER)) as port:
        with no_more_files(), pytest.raises(TransientError, match="too many open files on our side"):
            await probe.ssh("127.0.0.1", port, 2)
        assert await probe.ssh("127.0.0.1", port, 2)
