"""One server of each kind, and the adapter that speaks to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.integration.forge.gitea import GiteaServer
from tests.integration.forge.github import GitHubServer
from tests.integration.forge.gitlab import GitLabServer
from tests.integration.forge.server import TOKEN, ForgeServer

from otto.adapters.forge import OpenForge, Options, Token, address, open_forge
from otto.testing import FakeClock

SERVERS: dict[str, type[ForgeServer]] = {
    "github": GitHubServer,
    "gitlab": GitLabServer,
    "gitea": GiteaServer,
}
Connect = Callable[..., OpenForge]


@pytest.fixture(params=sorted(SERVERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def server(kind: str) -> AsyncIterator[ForgeServer]:
    async with SERVERS[kind]().serving() as at_work:
        yield at_work


@pytest.fixture
async def connect(kind: str, server: ForgeServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connect]:
    monkeypatch.setenv("TEST_FORGE_TOKEN", TOKEN)
    async with AsyncExitStack() as stack:

        def made(timeout: float = 5.0, **more: Any) -> OpenForge:
            where = address(kind, server.url, "forge.example", "")
            options = Options(timeout=timeout, largest=more.pop("largest", 1024 * 1024))
            forge = open_forge(where, Token("env:TEST_FORGE_TOKEN"), FakeClock(), options=options, **more)
            stack.push_async_callback(forge.close)
            return forge

        yield made


@pytest.fixture
def forge(connect: Connect) -> OpenForge:
    return connect()
