"""What the engine tells of hosts, as it happens; and engines that tell nothing, or nonsense."""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from otto.adapters.identity import identity
from otto.cli.labbackend import LabBackend
from otto.lab import events
from otto.lab.lab import Lab
from otto.model.errors import TransientError
from otto.model.host import HostEvent

pytestmark = pytest.mark.lab
Podman = Callable[..., str]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


class Listener:
    """Somebody who listens until told otherwise."""

    def __init__(self, lab: Lab) -> None:
        self.heard: asyncio.Queue[tuple[HostEvent, float]] = asyncio.Queue()
        self.task = asyncio.create_task(self._listen(LabBackend(lab, "")))

    async def _listen(self, backend: LabBackend) -> None:
        async with aclosing(backend.events()) as stream:
            async for event in stream:
                self.heard.put_nowait((event, time.time()))

    async def next(self) -> tuple[HostEvent, float]:
        return await asyncio.wait_for(self.heard.get(), 10)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def container(lab: Lab, podman: Podman) -> Iterator[str]:
    """A bare container that says it is a host of ours."""
    name = f"otto-{lab.owner}-told-web-1"
    made = run_host(podman, lab, lab.owner, name)
    yield made
    lab.api().remove_container(made)


def run_host(podman: Podman, lab: Lab, owner: str, name: str) -> str:
    labels = {"otto.owner": owner, "otto.site": "told", "otto.host": "told-web-1", "otto.role": "web"}
    given = [f"--label={label}={value}" for label, value in labels.items()]
    return podman(
        "run",
        "-d",
        "--name",
        name,
        "--network=none",
        "--stop-signal=KILL",
        *given,
        lab.image("base"),
        "sleep",
        "600",
    )


@pytest.fixture
async def listener(lab: Lab, podman: Podman, container: str) -> AsyncIterator[Listener]:
    """Somebody who listens already."""
    listener = Listener(lab)
    for _ in range(50):  # until the stream is open nothing is heard
        await asyncio.to_thread(podman, "pause", container)
        await asyncio.to_thread(podman, "unpause", container)
        if not listener.heard.empty():
            break
    await listener.next()
    while True:
        try:
            await asyncio.wait_for(listener.heard.get(), 1)
        except TimeoutError:
            break
    yield listener
    await listener.stop()


async def test_what_happens_to_a_host_is_told_in_time(
    lab: Lab, podman: Podman, container: str, listener: Listener, tmp_path: Path
) -> None:
    stranger = run_host(podman, lab, identity(tmp_path).owner, f"stranger-{lab.owner}")
    try:
        for verb, kinds in (
            ("pause", ["paused"]),
            ("unpause", ["resumed"]),
            ("kill", ["died"]),
            ("start", ["started"]),
            ("rm", ["died", "removed"]),
        ):
            began = time.time()
            for name in (stranger, container):
                await asyncio.to_thread(podman, verb, *(["-f"] if verb == "rm" else []), name)
            for kind in kinds:
                event, heard = await listener.next()
                assert (event.site, event.host, event.id) == ("told", "told-web-1", container)
                assert event.kind.value == kind
                assert began - 1 < event.at.timestamp() < heard
                print(f"{verb}: {kind} heard {heard - event.at.timestamp():.3f} s after it happened")  # noqa: T201
                assert heard - event.at.timestamp() < 2
        assert listener.heard.empty()
    finally:
        lab.api().remove_container(stranger)


async def test_a_listener_that_goes_leaves_nothing_behind(listener: Listener) -> None:
    threads = threading.active_count()
    await listener.stop()
    assert listener.task.cancelled()
    assert threading.active_count() <= threads
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_an_engine_that_ends_is_an_error(lab: Lab, listener: Listener) -> None:
    await asyncio.to_thread(lab.down)
    try:
        with pytest.raises(TransientError, match="events"):
            await asyncio.wait_for(listener.task, 10)
    finally:
        await asyncio.to_thread(lab.up)


async def test_no_engine_is_started_to_listen_or_to_list(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "home", secrets.token_hex(4), environ={"PATH": "/nonexistent"})
    backend = LabBackend(lab, "")
    for ask in (lambda: anext(backend.events()), lambda: backend.inventory(None)):
        with pytest.raises(TransientError, match="no container engine answers"):
            await ask()
    assert not (tmp_path / "home" / "lab" / "podman.json").exists()


@asynccontextmanager
async def engine(folder: Path, handler: Handler) -> AsyncIterator[str]:
    """A socket behind which somebody else sits."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, folder / "socket")
    try:
        yield f"unix://{folder}/socket"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(*parts: bytes, linger: bool = False) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
        if linger:
            await reader.read()

    return handler


def line(kind: str) -> bytes:
    labels = {"otto.owner": "0123abcd", "otto.site": "shop", "otto.host": "shop-web-1"}
    actor = {"ID": "1", "Attributes": labels}
    return json.dumps({"Action": kind, "Actor": actor, "timeNano": 1}).encode() + b"\n"


async def test_events_are_told_in_pieces_and_the_end_is_an_error(tmp_path: Path) -> None:
    said = line("die")
    async with engine(tmp_path, saying(HEAD, said[:10], said[10:] + line("create"), line("start"))) as url:
        stream = events.watch(url, "0123abcd")
        assert [(await anext(stream)).kind.value for _ in range(2)] == ["died", "started"]
        with pytest.raises(TransientError, match="ended its stream of events"):
            await anext(stream)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "500"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "Bad"),
        (HEAD + b"<html>\n", "JSON"),
        (HEAD + b"x" * 1_000_000, "TooLong"),
        (b"", "ServerDisconnected"),
    ],
    ids=["status", "protocol", "words", "flood", "nothing"],
)
async def test_an_engine_that_talks_nonsense_is_an_error(tmp_path: Path, said: bytes, reason: str) -> None:
    async with engine(tmp_path, saying(said)) as url:
        with pytest.raises(TransientError, match=reason):
            await anext(events.watch(url, "0123abcd"))


async def test_an_engine_that_takes_the_question_and_never_answers_is_an_error(tmp_path: Path) -> None:
    async with engine(tmp_path, saying(linger=True)) as url:
        with pytest.raises(TransientError, match="TimeoutError"):
            await anext(events.watch(url, "0123abcd", patience=0.2))


async def test_a_stream_on_which_nothing_comes_is_opened_anew(tmp_path: Path) -> None:
    opened = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await saying(HEAD, *([line("die")] if opened == 3 else []), linger=True)(reader, writer)

    async with engine(tmp_path, handler) as url, aclosing(events.watch(url, "0123abcd", idle=0.1)) as stream:
        event = await anext(stream)
    assert event.kind.value == "died"
    assert opened == 3


def test_listing_hosts_survives_a_restart_of_the_engine(lab: Lab, container: str) -> None:
    assert [host.id for host in lab.hosts("told")] == [container]
    lab.down()
    with pytest.raises(TransientError, match="engine"):
        lab.hosts("told")
    lab.up()
    assert [host.id for host in lab.hosts("told")] == [container]


def test_listing_hosts_is_cheap_and_keeps_one_connection(lab: Lab, container: str) -> None:
    def connections() -> int:
        return sum(1 for entry in Path("/proc/self/fd").iterdir() if "socket" in str(entry.resolve()))

    lab.hosts()
    before, threads = connections(), threading.active_count()
    began, spent, rounds = time.perf_counter(), time.process_time(), 50
    for _ in range(rounds):
        assert lab.hosts()
    wall, own = time.perf_counter() - began, time.process_time() - spent
    print(f"one listing: {wall / rounds * 1e3:.1f} ms, of them {own / rounds * 1e3:.1f} ms CPU of ours")  # noqa: T201
    assert wall / rounds < 0.5
    assert connections() == before
    assert threading.active_count() == threads
