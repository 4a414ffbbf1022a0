"""Many who write by HTTP at once, to a repository elsewhere that others push to; a controller that dies."""

import asyncio
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.git import serving as repositories
from tests.integration.git.gitting import Work, git
from tests.integration.git.test_stores import pushing

from otto.adapters.clock import SystemClock
from otto.adapters.git import open_book, open_source
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.adapters.store import open_store
from otto.cli.up.listening import listen
from otto.cli.up.serving import api
from otto.config import ApiSettings, SourceSettings
from otto.model.history import AuditEntry
from otto.reconcile.controller import Controller
from otto.testing import World

WRITERS = 50
SPEC = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: hello}\nspec: {content: {path: sites/hello}}\n"
ZONE = """\
apiVersion: otto/v1
kind: Domain
metadata: {name: example.org}
spec:
  provider: rfc2136
  records:
    - {name: www, type: A, values: [192.0.2.1]}  # the first one
"""


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "work")
    made.commit({"specs/hello.yaml": SPEC, "specs/zone.yaml": ZONE, "sites/hello/index.html": "<p>hello"})
    return made


@pytest.fixture
def served(tmp_path: Path, work: Work) -> Iterator[tuple[Path, str]]:
    """A bare repository, and where git serves it by HTTP."""
    folder = tmp_path / "served"
    folder.mkdir()
    git(folder, "init", "-q", "--bare", "-b", "main", "specs.git")
    git(folder / "specs.git", "config", "http.receivepack", "true")
    work.push(folder / "specs.git")
    with repositories.http(folder) as (address, _):
        yield folder / "specs.git", f"{address}/specs.git"


@asynccontextmanager
async def controller_over(home: Path, url: str) -> AsyncIterator[int]:
    """A controller over a repository elsewhere, which looks and writes; the port of its API."""
    clock, world, source = SystemClock(), World(), open_source(home, url=url)
    async with open_store(home / "otto.db", clock) as store:
        kit = replace(
            world.kit(),
            source=source,
            specs=CachedSpecs(YamlSpecs()),
            specbook=open_book(source, clock),
            clock=clock,
            store=store,
            ledger=store.ledger,
        )
        made = Controller(kit, home, SourceSettings(url=url), lambda _: nullcontext(source))
        listener = listen(ApiSettings(port=0))
        async with api(made, listener):
            await made.start()
            try:
                yield listener.getsockname()[1]
            finally:
                await made.stop()


def ask(
    port: int, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        told["content-type"] = "application/json"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, told)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(answer.read())
    finally:
        connection.close()


def site(name: str) -> dict[str, Any]:
    spec = {"content": {"path": "sites/hello"}}
    return {"apiVersion": "otto/v1", "kind": "Site", "metadata": {"name": name}, "spec": spec}


def create(port: int, number: int) -> tuple[int, str]:
    status, _, data = ask(port, "POST", f"/site/s{number}", site(f"s{number}"))
    return status, data.get("commit", "")


def record(port: int, number: int) -> tuple[int, str]:
    status, _, data = ask(port, "POST", f"/dom/dns/example.org?rec=n{number}+A+192.0.2.{number}")
    return status, data.get("commit", "")


def patch(port: int, number: int) -> tuple[int, str]:
    """Change a document that others change as well: read it again until nobody was faster."""
    while True:
        _, headers, data = ask(port, "GET", "/site/hello")
        domains = [*data["spec"].get("domains", []), f"n{number}.example"]
        wanted = {"spec": {"domains": domains}}
        status, _, told = ask(port, "PATCH", "/site/hello", wanted, if_match=headers["etag"])
        if status != 412:
            return status, told.get("commit", "")


async def test_fifty_who_write_by_http_beside_people_who_push_lose_nothing(
    tmp_path: Path, served: tuple[Path, str], work: Work
) -> None:
    remote, url = served
    async with controller_over(tmp_path / "home", url) as port:
        with pushing(work, url) as pushed, ThreadPoolExecutor(2 * WRITERS + 5) as pool:
            loop = asyncio.get_running_loop()
            asked = [
                loop.run_in_executor(pool, what, port, number)
                for what, count in ((create, WRITERS), (record, WRITERS), (patch, 5))
                for number in range(count)
            ]
            told = await asyncio.gather(*asked)
    assert Counter(status for status, _ in told) == {201: WRITERS, 200: WRITERS + 5}
    assert len({commit for _, commit in told}) == 2 * WRITERS + 5
    git(work.path, "pull", "-q", "--rebase", url, "main")
    files = set(git(remote, "ls-tree", "-r", "--name-only", "main").split())
    assert {f"specs/sites/s{n}.yaml" for n in range(WRITERS)} | set(pushed) <= files
    zone, hello = (work.path / f"specs/{name}.yaml" for name in ("zone", "hello"))
    assert all(f"192.0.2.{n}" in zone.read_text() for n in range(WRITERS))
    assert "values: [192.0.2.1]}  # the first one" in zone.read_text()
    assert all(f"n{n}.example" in hello.read_text() for n in range(5))
    assert git(remote, "fsck", "--strict", "--no-dangling") == ""


async def serve(home: str, url: str) -> None:
    """A controller until it is killed, or its input ends; it says its port."""
    async with controller_over(Path(home), url) as port:
        print(port, flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.read)


@contextmanager
def process(home: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = f"import asyncio; from {__name__} import serve; asyncio.run(serve({str(home)!r}, {url!r}))"
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root)}
    child = subprocess.Popen(
        [sys.executable, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert child.stdout is not None
    try:
        port = next(line for line in child.stdout if line.strip().isdigit())
        # What it logs is read, or it stands still when the pipe is full.
        reading = threading.Thread(target=child.stdout.read)
        reading.start()
        yield child, int(port)
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.wait(60)
        reading.join(60)
        child.stdout.close()


def test_a_controller_that_is_killed_amid_writes_loses_none_and_has_each_on_record_once(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    remote, url = served
    answered: dict[str, str] = {}

    def write(port: int, first: int) -> None:
        for number in range(first, first + 100):
            try:
                status, commit = create(port, number)
            except (OSError, http.client.HTTPException, ValueError):
                return  # killed: whether it came through, nobody said
            assert status == 201
            answered[f"s{number}"] = commit

    for life in range(3):
        with process(tmp_path / "home", url) as (child, port), ThreadPoolExecutor(8) as pool:
            before = len(answered)
            writing = [pool.submit(write, port, 10_000 * life + 1000 * n) for n in range(8)]
            while len(answered) < before + 5:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.7))  # noqa: S311  (any moment will do)
            child.kill()
        for one in writing:
            one.result()
    with process(tmp_path / "home", url) as (_, port):
        status, _, _ = ask(port, "GET", f"/site/{next(iter(answered))}")
    assert status == 200
    commits = git(remote, "log", "--format=%H", "--author=local", "main").split()
    assert set(answered.values()) <= set(commits)
    assert git(remote, "fsck", "--strict", "--no-dangling") == ""
    found = Counter(entry.detail["commit"] for entry in asyncio.run(entries(tmp_path / "home")))
    assert found == Counter(commits)


async def entries(home: Path) -> list[AuditEntry]:
    async with open_store(home / "otto.db", SystemClock()) as store:
        records = await store.ledger.records(limit=100_000)
    return [record.entry for record in records if record.entry.what == "write"]
