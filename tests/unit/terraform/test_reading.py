"""States are read once for each content of their file."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otto.adapters.terraform.folder import Folder
from otto.adapters.terraform.reading import StateReader
from otto.model.errors import TerminalError
from otto.testing import FakeClock

TYPES = {"lab_host": "name"}


def content(*names: str) -> str:
    hosts = [
        {
            "name": name,
            "role": "web",
            "id": name,
            "address": "10.0.0.1",
            "private_address": "10.0.0.1",
            "ssh_port": 22,
            "ssh_user": "otto",
            "http_port": 80,
            "host_key": "k",
        }
        for name in names
    ]
    resources = [
        {
            "mode": "managed",
            "type": "lab_host",
            "name": "hosts",
            "instances": [{"index_key": name, "attributes": {"name": name}} for name in names],
        }
    ]
    return json.dumps({"version": 4, "outputs": {"hosts": {"value": hosts}}, "resources": resources})


class Reader:
    """A reader of one site's state, and how often it read."""

    def __init__(self, home: Path, clock: FakeClock) -> None:
        self.folder = Folder.of(home, "acme")
        self.folder.create()
        self.reader = StateReader(clock)

    def write(self, text: str, *, age: float = 60.0) -> None:
        """Write the state in place, so long ago."""
        self.folder.state.write_text(text)
        self.touch(age)

    def touch(self, age: float) -> None:
        at = time.time_ns() - round(age * 1e9)
        os.utime(self.folder.state, ns=(at, at))

    async def names(self, types: dict[str, str] | None = None) -> list[str] | None:
        state = await self.reader.infrastructure(self.folder, TYPES if types is None else types)
        return None if state is None else [host.name for host in state.hosts]


@pytest.fixture
def clock() -> FakeClock:
    # The kernel tells when a file's inode changed and takes no other time: a minute from now it is settled.
    return FakeClock(datetime.fromtimestamp(time.time() + 60, UTC))


@pytest.fixture
def reader(tmp_path: Path, clock: FakeClock) -> Reader:
    return Reader(tmp_path / "sites", clock)


async def test_a_file_that_is_as_it_was_is_not_read_again(reader: Reader) -> None:
    reader.write(content("acme-web-1"))
    first = await reader.reader.infrastructure(reader.folder, TYPES)
    reader.folder.state.chmod(0)  # changes its stat, so that it is read once more
    reader.folder.state.chmod(0o600)
    second = await reader.reader.infrastructure(reader.folder, TYPES)
    third = await reader.reader.infrastructure(reader.folder, TYPES)
    assert first == second
    assert first is not second
    assert third is second


async def test_no_file_no_state(reader: Reader) -> None:
    assert await reader.names() is None


@pytest.mark.parametrize(
    "meddle",
    [
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("elsewhere")),
        lambda path: path.write_text(""),
    ],
)
async def test_a_file_that_goes_is_missed_at_once(reader: Reader, meddle: Callable[[Path], object]) -> None:
    reader.write(content("acme-web-1"))
    assert await reader.names() == ["acme-web-1"]
    meddle(reader.folder.state)
    assert await reader.names() is None


async def test_a_file_swapped_for_one_of_the_same_size_and_time_is_seen(reader: Reader) -> None:
    reader.write(content("acme-web-1"))
    assert await reader.names() == ["acme-web-1"]
    before = reader.folder.state.stat()
    spare = reader.folder.path / "spare"
    spare.write_text(content("acme-web-2"))
    os.utime(spare, ns=(before.st_atime_ns, before.st_mtime_ns))
    spare.replace(reader.folder.state)
    assert reader.folder.state.stat().st_size == before.st_size
    assert await reader.names() == ["acme-web-2"]


async def test_a_file_written_in_place_with_its_time_put_back_is_seen(reader: Reader) -> None:
    reader.write(content("acme-web-1"), age=5.0)
    assert await reader.names() == ["acme-web-1"]
    before = reader.folder.state.stat()
    reader.folder.state.write_text(content("acme-web-2"))
    os.utime(reader.folder.state, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await reader.names() == ["acme-web-2"]


async def test_a_file_just_written_is_not_remembered_yet(tmp_path: Path) -> None:
    now = Reader(tmp_path / "sites", FakeClock(datetime.now(UTC)))
    now.write(content("acme-web-1"))
    first = await now.reader.infrastructure(now.folder, TYPES)
    second = await now.reader.infrastructure(now.folder, TYPES)
    assert first == second
    assert first is not second


async def test_another_notion_of_what_a_host_is_counts(reader: Reader) -> None:
    document = json.loads(content("acme-web-1"))
    document["resources"] = []
    reader.write(json.dumps(document))
    assert await reader.names({}) == ["acme-web-1"]
    assert await reader.names(TYPES) == []


async def test_a_damaged_file_is_an_error_each_time(reader: Reader) -> None:
    reader.write("{")
    for _ in range(2):
        with pytest.raises(TerminalError, match="cannot be read"):
            await reader.names()
    reader.write(content("acme-web-1"))
    assert await reader.names() == ["acme-web-1"]


async def test_a_file_that_terraform_is_writing_is_read_again(reader: Reader, clock: FakeClock) -> None:
    reader.write("{")
    reader.folder.children.write_text("{}")
    asked = asyncio.ensure_future(reader.names())
    await clock.advance(0.15)
    reader.write(content("acme-web-1"))
    await clock.advance(0.2)
    assert await asked == ["acme-web-1"]
