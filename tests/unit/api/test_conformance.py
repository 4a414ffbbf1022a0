"""The whole description, put to the test by Schemathesis: no 5xx, and every answer as it is described.

The controller runs in an event loop of its own, as it does when it serves, over a real store and real specs.
"""

import asyncio
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from prometheus_client import CollectorRegistry
from tests.unit.api.conftest import Guests, Well, calm
from tests.unit.api.test_hooks import SECRET, Desk
from tests.unit.api.test_writing import HELLO, ZONE, machine, new
from tests.unit.reconcile.stage import Stage

from otto.adapters.specs import YamlSpecs
from otto.adapters.store import open_store
from otto.api.app import create_app
from otto.api.bridge import Bridge
from otto.api.hooks import HookOptions, Hooks
from otto.api.inside import Inside
from otto.desk.house import Household
from otto.model.caller import Scope
from otto.testing import World

# What was answered is counted over all of them: they belong to one process.
pytestmark = pytest.mark.xdist_group("conformance")

ROOT = {"Authorization": "Bearer root"}
# Bodies that are whole specs: what else may be wrong with one than its form, no description can say.
WRITES = "^/(site/{site}|inv/{item}|dom/{domain}|dom/(dns|ns)/{domain})$"
DESK = "^/desk/"
# Ids and digests that no generator comes upon.
UNGUESSED = {
    "GET /runs/{run_id}",
    "GET /pipelines/{pipeline_id}",
    "GET /images/{digest}",
    "POST /site/{site}/approve",
    "POST /site/{site}/reject",
    "DELETE /token/{token}",
    *(f"POST /hooks/{sender}" for sender in ("github", "gitea", "generic")),
    # What has to wait, to be paused, or to be there for them.
    *(f"POST /desk/{word}" for word in ("approve", "reject", "extend", "thaw", "freezes-of-otto", "reap")),
    *(f"POST /desk/rollout-{word}" for word in ("resume", "abort", "undo")),
    *(f"POST /desk/{word}" for word in ("image", "image-promote", "image-revoke", "pipeline")),
    *(f"POST /desk/{word}" for word in ("ways", "ways-try", "token-revoke")),
    *(f"POST /desk/image-build-{word}" for word in ("news", "cancel")),
}
JSON = {"media_type": "application/json"}
MACHINE = machine("rack1", "192.0.2.11")
MADE = {**yaml.safe_load(ZONE), "metadata": {"name": "made.example"}}
DELIVERY = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "after": "c" * 40,
    "project": {"git_http_url": "https://git.example/web/one.git"},
}
STORY: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("POST", "/site/{site}", "made", {"body": new("made"), **JSON}),
    ("GET", "/site/{site}", "made", {}),
    ("PATCH", "/site/{site}", "made", {"body": {"spec": {"web": {"count": 1}}}, **JSON}),
    ("PATCH", "/site/{site}", "made", {"body": {"spec": {}}, "query": {"dry_run": True}, **JSON}),
    ("PUT", "/site/{site}", "made", {"body": new("made", web={"count": 3}), **JSON}),
    ("POST", "/inv/{item}", "rack1", {"body": MACHINE, **JSON}),
    ("GET", "/inv/{item}", "rack1", {}),
    ("PATCH", "/inv/{item}", "rack1", {"body": {"metadata": {"labels": {"team": "b"}}}, **JSON}),
    ("PUT", "/inv/{item}", "rack1", {"body": MACHINE, **JSON}),
    ("DELETE", "/inv/{item}", "rack1", {}),
    ("DELETE", "/site/{site}", "made", {}),
    ("POST", "/dom/{domain}", "made.example", {"body": MADE, **JSON}),
    ("GET", "/dom/{domain}", "made.example", {}),
    ("PATCH", "/dom/{domain}", "made.example", {"body": {"metadata": {"labels": {"team": "b"}}}, **JSON}),
    ("PUT", "/dom/{domain}", "made.example", {"body": MADE, **JSON}),
    ("POST", "/dom/dns/{domain}", "made.example", {"query": {"rec": "a A 192.0.2.9"}}),
    ("GET", "/dom/dns/{domain}", "made.example", {}),
    ("PUT", "/dom/dns/{domain}", "made.example", {"query": {"rec": "a A 192.0.2.8"}}),
    ("DELETE", "/dom/dns/{domain}", "made.example", {"query": {"rec": "a"}}),
    ("POST", "/dom/ns/{domain}", "made.example", {"query": {"ns": "ns1.example.net,ns2.example.net"}}),
    ("GET", "/dom/ns/{domain}", "made.example", {}),
    ("DELETE", "/dom/ns/{domain}", "made.example", {}),
    ("DELETE", "/dom/{domain}", "made.example", {}),
    ("POST", "/hooks/gitlab", "", {"body": DELIVERY, **JSON}),
)
"""Writes that succeed, one after the other."""
ANSWERED: defaultdict[str, set[int]] = defaultdict(set)


class Uncounted:
    def delivered(self, sender: str, result: str, seconds: float) -> None:
        pass


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
        stage.world = World(stage.world.clock, YamlSpecs())
        async with open_store(self._home / "otto.db", stage.world.clock) as store:
            stage.world.store, stage.world.ledger = store, store.ledger  # type: ignore[assignment]
            page = {"sites/hello/index.html": "<h1>It works</h1>"}
            stage.world.source.commit({"specs/hello.yaml": HELLO, "specs/zone.yaml": ZONE, **page})
            async with stage.controller().running() as controller:
                for _ in range(50):
                    await calm()
                gate = Guests()
                gate.invite("root", Scope.ADMIN)
                household = Household(foundry=stage.world.foundry)
                inside = Inside(controller, Bridge(), gate, household, version="1.2.3")
                inside.stream.close()  # what has no end cannot be checked whole
                hooks = Hooks(
                    Desk(), HookOptions((SECRET,)), Uncounted(), lambda: datetime.now(UTC), time.monotonic
                )
                app = create_app(CollectorRegistry(), Well(), "1.2.3", inside=inside, hooks=hooks)
                self._made.set_result(app)
                await self._end.wait()
                await inside.builds.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with Running(tmp_path_factory.mktemp("home")) as app:
        yield app


def loaded(app: Any, *more: str, coverage: bool) -> Any:
    """The description.

    Args:
        app: describes itself.
        more: statuses, besides those of any request, with which what fits the description may be refused.
        coverage: whether every boundary of every schema is tried.
    """
    # A cursor that nobody gave out, and a name that is not the caller's, are texts like any other to the
    # description, and refused; so is a query that is too long as a whole.
    expected = ["2xx", "400", "403", "404", "409", "431", *more]
    config = {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": expected},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
        },
        "phases": {"coverage": {"enabled": coverage}},
    }
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=schemathesis.Config.from_dict(config))


@pytest.fixture(scope="module")
def reads(running: Any) -> Any:
    return loaded(running, "401", coverage=True)


@pytest.fixture(scope="module")
def writes(running: Any) -> Any:
    return loaded(running, "412", "422", "428", coverage=False)


def tried(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def whichever(method: str) -> dict[str, str]:
    return {} if method == "POST" else {"If-Match": "*"}


def check(case: Any, **headers: str) -> int:
    # Who delivers for GitLab shows what is agreed upon; the others sign, which no generator does.
    if case.path.startswith("/hooks/"):
        headers |= {"X-Gitlab-Token": SECRET.decode(), "X-Gitlab-Event": "Push Hook"}
    answer = case.call_and_validate(headers=ROOT | headers)
    assert answer.status_code != 401 or case.path.startswith("/hooks/")
    ANSWERED[case.operation.label].add(answer.status_code)
    return int(answer.status_code)


@schemathesis.pytest.from_fixture("reads").exclude(path_regex=f"{WRITES}|{DESK}").parametrize()
@tried(25)
def test_every_answer_is_as_it_is_described(case: Any) -> None:
    check(case)


@schemathesis.pytest.from_fixture("writes").include(path_regex=DESK).parametrize()
@tried(4)
def test_every_answer_to_a_question_is_as_it_is_described(case: Any) -> None:
    check(case)


@schemathesis.pytest.from_fixture("writes").include(path_regex=WRITES).parametrize()
@tried(10)
def test_every_answer_to_a_write_is_as_it_is_described(case: Any) -> None:
    # Who makes a document means none that is there.
    check(case, **whichever(case.method))


def test_writes_that_come_to_something_are_answered_as_it_is_described(writes: Any) -> None:
    """No generator comes upon a document that is good in every way, and then upon its name again."""
    for method, path, name, more in STORY:
        operation = writes[path][method]
        case = operation.Case(path_parameters=dict.fromkeys(re.findall(r"{(\w+)}", path), name), **more)
        assert check(case, **whichever(method)) in (200, 201, 202), (method, path)


def test_what_was_asked_came_to_something(reads: Any) -> None:
    """Or all of the above would be about refusals."""
    asked = {found.ok().label for found in reads.get_all_operations()}
    assert asked == set(ANSWERED)
    poor = {label for label, statuses in ANSWERED.items() if not statuses & {200, 201, 202}}
    assert poor <= UNGUESSED
