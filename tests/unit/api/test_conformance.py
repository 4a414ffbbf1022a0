"""The whole description, put to the test by Schemathesis: no 5xx, and every answer as it is described.

The controller runs in an event loop of its own, as it does when it serves, over a real store.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from prometheus_client import CollectorRegistry
from tests.unit.api.conftest import Guests, Well, calm
from tests.unit.reconcile.stage import Stage

from otto.adapters.store import open_store
from otto.api.app import create_app
from otto.api.bridge import Bridge
from otto.api.inside import Inside
from otto.model.caller import Scope
from otto.testing import site_spec

ANSWERED: defaultdict[str, set[int]] = defaultdict(set)
# Ids and digests that no generator comes upon.
UNGUESSED = {
    "GET /runs/{run_id}",
    "GET /pipelines/{pipeline_id}",
    "GET /images/{digest}",
    "POST /site/{site}/approve",
    "POST /site/{site}/reject",
    "DELETE /token/{token}",
    # What has to wait, to be paused, or to be there for them.
    *(f"POST /desk/{word}" for word in ("approve", "reject", "extend", "thaw", "freezes-of-otto", "reap")),
    *(f"POST /desk/rollout-{word}" for word in ("resume", "abort", "undo")),
    *(f"POST /desk/{word}" for word in ("image", "image-promote", "image-revoke", "pipeline")),
    *(f"POST /desk/{word}" for word in ("ways", "ways-try", "token-revoke")),
}


class Running:
    """A controller at work in a thread, and the application before it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._made: Future[Any] = Future()
        self._end: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="controller")

    def __enter__(self) -> Any:
        self._thread.start()
        return self._made.result(60)

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)

    async def _run(self) -> None:
        try:
            await self._serve()
        except BaseException as error:
            if not self._made.done():
                self._made.set_exception(error)
            raise

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        stage = Stage(self._home)
        async with open_store(self._home / "otto.db", stage.world.clock) as store:
            stage.world.store, stage.world.ledger = store, store.ledger  # type: ignore[assignment]
            stage.world.push(site_spec("hello", labels={"env": "prod"}), site_spec("two"))
            async with stage.controller().running() as controller:
                for _ in range(50):
                    await calm()
                gate = Guests()
                gate.invite("root", Scope.ADMIN)
                inside = Inside(controller, Bridge(), gate, version="1.2.3")
                inside.stream.close()  # what has no end cannot be checked whole
                self._made.set_result(create_app(CollectorRegistry(), Well(), "1.2.3", inside=inside))
                await self._end.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with Running(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture(scope="module")
def described(running: Any) -> Any:
    # A cursor that nobody gave out, and a name that is not the caller's, are texts like any other to the
    # description, and refused.
    expected = ["2xx", "400", "403", "404", "409"]
    config = schemathesis.Config.from_dict(
        {"checks": {"positive_data_acceptance": {"expected-statuses": expected}}}
    )
    return schemathesis.openapi.from_asgi("/openapi.json", running, config=config)


schema = schemathesis.pytest.from_fixture("described")


HOW: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": list(HealthCheck),
}
DESK = "^/desk/"


def hold(case: Any) -> None:
    answer = case.call_and_validate(headers={"Authorization": "Bearer root"})
    ANSWERED[case.operation.label].add(answer.status_code)


@schema.exclude(path_regex=DESK).parametrize()
@settings(max_examples=40, **HOW)
def test_every_answer_is_as_it_is_described(case: Any) -> None:
    hold(case)


@schema.include(path_regex=DESK).parametrize()
@settings(max_examples=5, **HOW)  # one route that answers many questions
def test_every_answer_of_the_desk_is_as_it_is_described(case: Any) -> None:
    hold(case)


def test_what_was_asked_came_to_something(described: Any) -> None:
    """Or all of the above would be about refusals."""
    asked = {found.ok().label for found in described.get_all_operations()}
    assert asked == set(ANSWERED)
    poor = {label for label, statuses in ANSWERED.items() if not statuses & {200, 201, 202}}
    assert poor <= UNGUESSED
