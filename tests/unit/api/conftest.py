"""A controller in memory with its API, asked without a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.types import ASGIApp
from tests.unit.api.asking import Answer, ask
from tests.unit.reconcile.stage import Stage

from otto.api.app import Options, create_app
from otto.api.bridge import Bridge
from otto.api.gate import CHALLENGE, LoopbackGate, address_of
from otto.api.inside import Inside
from otto.api.problems import Kind, ProblemError
from otto.api.telling import telling
from otto.desk.house import Household
from otto.model.caller import Caller, Scope
from otto.reconcile.controller import Controller
from otto.testing import settle


class Well:
    async def alive(self) -> list[str]:
        return []

    async def ready(self) -> list[str]:
        return []


class Guests:
    """A gate that knows callers by the word behind `Bearer`; on loopback without one, everything goes."""

    def __init__(self) -> None:
        self.known: dict[str, Caller] = {}
        self.refusals: list[tuple[str, str]] = []

    def invite(self, name: str, scope: Scope = Scope.READ, labels: Mapping[str, str] | None = None) -> str:
        self.known[name] = Caller(name, scope, labels or {}, token=name)
        return name

    async def admit(self, request: Request) -> Caller:
        word = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not word:
            return await LoopbackGate().admit(request)
        if word not in self.known:
            raise ProblemError(Kind.UNAUTHENTICATED, "no such token", headers=CHALLENGE)
        return replace(self.known[word], address=address_of(request))

    def sender(self, request: Request) -> str:
        return address_of(request)

    async def refused(self, caller: Caller | None, request: Request, error: ProblemError) -> None:
        self.refusals.append((caller.name if caller else "", error.detail))


@dataclass
class Api:
    """The application over a stage, and ways to ask it."""

    stage: Stage
    controller: Controller
    inside: Inside
    gate: Guests
    app: ASGIApp
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def counted(self, name: str, **labels: str) -> float:
        """The value of a series of `/metrics`, 0 without one."""
        return self.inside.kit.metrics.registry.get_sample_value(f"otto_{name}", labels) or 0

    async def get(self, url: str, by: str = "", **headers: str) -> Answer:
        return await self.ask("GET", url, by=by, **headers)

    async def post(self, url: str, body: object = None, by: str = "") -> Answer:
        return await self.ask("POST", url, body, by=by)

    async def ask(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        by: str = "",
        client: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            told["authorization"] = f"Bearer {by}"
        return await ask(self.app, method, url, body, headers=told, client=client)


@asynccontextmanager
async def api_over(stage: Stage, options: Options | None = None) -> AsyncIterator[Api]:
    """A controller over a stage, at work, with its API."""
    async with stage.controller().running() as controller:
        gate = Guests()
        household = Household(foundry=stage.world.foundry)
        inside = Inside(controller, Bridge(), gate, household, version="1.2.3")
        registry = CollectorRegistry()
        app = create_app(
            registry,
            Well(),
            "1.2.3",
            inside=inside,
            options=options or Options(),
            counted=controller.kit.metrics,
        )
        await calm()  # a controller that never ran closes nothing
        with telling(inside.stream, controller.kit.bus, controller.kit.clock.now):
            yield Api(stage, controller, inside, gate, app, registry)
        await inside.builds.close()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[Api]:
    async with api_over(stage) as made:
        yield made


async def calm() -> None:
    for _ in range(20):
        await settle()
        await asyncio.sleep(0)
