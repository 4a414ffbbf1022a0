"""The stores over real repositories: many writers, other people's pushes, remotes that refuse."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.git import open_book, open_source
from otto.adapters.signatures import SignatureTools
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.config import SourceSettings
from otto.model.caller import Caller, Scope
from otto.model.document import Data, Kind
from otto.model.errors import TerminalError
from otto.model.policy import FleetPolicy
from otto.model.signature import Demand, KnownKey, Signatures
from otto.reconcile.controller import Controller
from otto.reconcile.stores.stores import Asked, Stores
from otto.testing import World

from .gitting import Work, git
from .serving import http, keygen

ADA = Asked(Caller("Ada", Scope.WRITE))
WRITERS = 50


def house(home: Path, url: str = "", signing_key: str = "", world: World | None = None) -> Controller:
    world = world or World()
    source = open_source(home, url=url, signatures=lambda: world.policies.fleet().signatures)
    clock = SystemClock()
    kit = replace(
        world.kit(),
        source=source,
        specs=CachedSpecs(YamlSpecs()),
        specbook=open_book(source, clock, signing_key=signing_key),
        vouching=SignatureTools(home),
        clock=clock,
    )
    return Controller(kit, home, SourceSettings(url=url), lambda _: nullcontext(source))


async def opened(controller: Controller) -> Stores:
    await controller.fleet.load()
    await controller.watcher.look()
    assert controller.stores is not None
    return controller.stores


def site(name: str) -> dict[str, Any]:
    spec = {"content": {"path": "sites/hello"}}
    return {"apiVersion": "otto/v1", "kind": "Site", "metadata": {"name": name}, "spec": spec}


def domain(number: int) -> Callable[[Data], Data]:
    name = f"n{number}.example"
    return lambda old: {
        **old,
        "spec": {**old["spec"], "domains": [*old["spec"].get("domains", []), name]},
    }


@contextmanager
def pushing(work: Work, to: str) -> Iterator[list[str]]:
    """Somebody pushes now and then; their commits."""
    made: list[str] = []
    end = threading.Event()

    def push() -> None:
        while not end.wait(0.5):
            work.commit({f"other/{len(made)}.txt": "x"})
            git(work.path, "pull", "-q", "--rebase", to, "main")
            if "error" not in work.push(to, check=False):
                made.append(f"other/{len(made)}.txt")

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield made
    finally:
        end.set()
        thread.join()


async def test_fifty_writers_to_one_document_and_to_many_beside_pushes_lose_nothing(
    home: Path, work: Work
) -> None:
    work.push(home / "specs.git")
    stores = await opened(house(home))
    ones = [stores.edit(Kind.SITE, "hello", domain(n), "add", ADA) for n in range(WRITERS)]
    many = [stores.creation(Kind.SITE, f"s{n}", site(f"s{n}"), ADA) for n in range(WRITERS)]
    with pushing(work, str(home / "specs.git")) as pushed:
        written = await asyncio.gather(*map(stores.write, [*ones, *many]))
    assert len({one.commit for one in written}) == 2 * WRITERS
    found = stores.get(Kind.SITE, "hello", ADA.caller).data["spec"]["domains"]
    assert sorted(found) == sorted(f"n{n}.example" for n in range(WRITERS))
    files = git(home / "specs.git", "ls-tree", "-r", "--name-only", "main").split()
    assert {f"specs/sites/s{n}.yaml" for n in range(WRITERS)} <= set(files)
    assert set(pushed) <= set(files)
    assert git(home / "specs.git", "fsck", "--strict", "--no-dangling") == ""
    authors = git(home / "specs.git", "log", "--format=%an", "main").split("\n")
    assert authors.count("Ada") == 2 * WRITERS


@pytest.fixture
def served(tmp_path: Path, work: Work) -> Path:
    (tmp_path / "served").mkdir()
    git(tmp_path / "served", "init", "-q", "--bare", "-b", "main", "specs.git")
    git(tmp_path / "served/specs.git", "config", "http.receivepack", "true")
    work.push(tmp_path / "served/specs.git")
    return tmp_path / "served"


async def test_writers_to_a_remote_that_others_push_to_lose_nothing(
    tmp_path: Path, served: Path, work: Work
) -> None:
    with http(served) as (address, _):
        url = f"{address}/specs.git"
        stores = await opened(house(tmp_path / "home", url))
        ones = [stores.edit(Kind.SITE, "hello", domain(n), "add", ADA) for n in range(6)]
        many = [stores.creation(Kind.SITE, f"s{n}", site(f"s{n}"), ADA) for n in range(6)]
        with pushing(work, url) as pushed:
            await asyncio.gather(*map(stores.write, [*ones, *many]))
        assert len(stores.get(Kind.SITE, "hello", ADA.caller).data["spec"]["domains"]) == 6
    files = set(git(served / "specs.git", "ls-tree", "-r", "--name-only", "main").split())
    assert {f"specs/sites/s{n}.yaml" for n in range(6)} | set(pushed) <= files


async def test_what_others_pushed_upon_a_write_is_what_is_read(
    tmp_path: Path, served: Path, work: Work
) -> None:
    with http(served) as (address, _):
        url = f"{address}/specs.git"
        controller = house(tmp_path / "home", url)
        stores = await opened(controller)
        await stores.write(stores.edit(Kind.SITE, "hello", domain(1), "add", ADA))
        git(work.path, "pull", "-q", url, "main")
        spec = (work.path / "specs/hello.yaml").read_text()
        work.commit({"specs/hello.yaml": spec.replace("n1.example", "n2.example")})
        work.commit({"other": "x"})
        work.push(url)
        await controller.watcher.look()
        assert stores.get(Kind.SITE, "hello", ADA.caller).data["spec"]["domains"] == ["n2.example"]


async def test_a_protected_remote_is_told_of_and_nothing_is_written(tmp_path: Path, served: Path) -> None:
    hook = served / "specs.git/hooks/update"
    hook.write_text("#!/bin/sh\necho 'GL-HOOK: changes go through merge requests' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = git(served / "specs.git", "rev-parse", "main")
    with http(served) as (address, _):
        controller = house(tmp_path / "home", f"{address}/specs.git")
        stores = await opened(controller)
        with pytest.raises(TerminalError, match="changes go through merge requests"):
            await stores.write(stores.creation(Kind.SITE, "new", site("new"), ADA))
        entries = [record.entry for record in await controller.kit.ledger.records()]
    assert [entry.what for entry in entries] == ["refuse"]
    assert git(served / "specs.git", "rev-parse", "main") == before


async def test_where_signatures_are_demanded_only_a_signed_commit_comes_in_force(
    home: Path, tmp_path: Path, work: Work
) -> None:
    public = keygen(tmp_path / "keys/otto")
    allowed = KnownKey(ssh=f'otto@localhost namespaces="git" {public}')
    work.push(home / "specs.git")
    world = World()
    unsigned = await opened(house(home, world=world))
    signing = house(home, signing_key=str(tmp_path / "keys/otto"), world=world)
    stores = await opened(signing)
    world.policies.policy = FleetPolicy(signatures=Signatures(Demand.COMMITS, keys=(allowed,)))
    order = stores.creation(Kind.SITE, "new", site("new"), ADA)
    with pytest.raises(TerminalError, match="it is not signed"):
        await unsigned.write(order)
    written = await stores.write(order)
    assert not written.notes
    assert "new" in signing.fleet.catalogue.sites
