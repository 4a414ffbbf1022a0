"""The stream of everything that happens, and what each listener hears of it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from tests.unit.api.conftest import Api, calm
from tests.unit.reconcile.stage import Stage

from otto.api.audience import Audience
from otto.api.problems import ProblemError
from otto.api.routes import events
from otto.api.stream import LostError, Stream
from otto.api.telling import log_document
from otto.model.caller import Scope
from otto.model.status import Phase, SiteStatus
from otto.reconcile.events import SiteGone, StatusChanged
from otto.telemetry import logs
from otto.testing import site_spec

PROD = {"env": "prod"}


@dataclass
class Heard:
    """What came so far, event by event."""

    status: int = 0
    text: str = ""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[dict[str, str]]:
        found = []
        for block in self.text.split("\n\n"):
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if line[:1] != ":" and ": " in line
            )
            if "data" in fields:
                found.append(fields)
        return found

    @property
    def data(self) -> list[Any]:
        return [json.loads(event["data"]) for event in self.events]

    async def until(self, count: int) -> list[Any]:
        """What came, when so many events have."""
        async with asyncio.timeout(20):
            while len(self.events) < count:
                await asyncio.sleep(0)
        return self.data

    def about(self, site: str) -> list[str]:
        return [event["event"] for event in self.data if event.get("site") == site]


@asynccontextmanager
async def listening(api: Api, query: str = "", by: str = "", last: str = "") -> AsyncIterator[Heard]:
    heard = Heard()
    headers = {"host": "127.0.0.1:7070"}
    headers |= {"authorization": f"Bearer {by}"} if by else {}
    headers |= {"last-event-id": last} if last else {}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/events",
        "raw_path": b"/events",
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 7070),
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asked = False

    async def receive() -> Mapping[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await heard.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        heard.status = message.get("status", heard.status)
        heard.text += message.get("body", b"").decode()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            heard.ended.set()

    task = asyncio.ensure_future(api.app(scope, receive, send))  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        while not heard.text and not task.done():
            await asyncio.sleep(0)
    try:
        yield heard
    finally:
        heard.hung_up.set()
        await asyncio.wait_for(task, 10)


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.world.push(site_spec("one", labels=PROD), site_spec("two"))
    return stage


@pytest.fixture
async def api(api: Api) -> Api:
    await api.stage.calm(5)
    api.gate.invite("ann", Scope.READ, PROD)
    return api


def changed(api: Api, site: str, message: str = "") -> None:
    status = SiteStatus(
        site, Phase.READY, api.stage.world.clock.now(), message=message, labels=PROD if site == "one" else {}
    )
    api.inside.kit.bus.publish(StatusChanged(status))


async def test_what_happens_is_heard_as_it_happens(api: Api) -> None:
    async with listening(api) as heard:
        assert heard.status == 200
        assert await api.post("/site/one/reconcile")
        await api.stage.calm(5)
        kinds = heard.about("one")
        assert "status" in kinds
        assert "step" in kinds
        assert [event["event"] for event in heard.events] == [data["event"] for data in heard.data]


async def test_a_listener_goes_on_where_it_ended(api: Api) -> None:
    async with listening(api) as heard:
        changed(api, "one", "first")
        await heard.until(1)
        last = heard.events[-1]["id"]
    changed(api, "one", "second")
    async with listening(api, last=last) as again:
        changed(api, "one", "third")
        assert [data["message"] for data in await again.until(2)] == ["second", "third"]


@pytest.mark.parametrize("last", ["x", "other-5", "-1", "9", "{epoch}-999999", "{epoch}-x", "{epoch}-"])
async def test_who_missed_something_is_told(api: Api, last: str) -> None:
    async with listening(api, last=last.format(epoch=api.inside.stream.epoch)) as heard:
        changed(api, "one")
        assert [data["event"] for data in await heard.until(2)] == ["reset", "status"]


async def test_events_of_one_site_or_kind(api: Api) -> None:
    async with listening(api, "site=two&event=status&event=gone") as heard:
        for site in ("one", "two"):
            changed(api, site)
            api.inside.kit.bus.publish(SiteGone(site))
        api.inside.stream.tell("log", "two", {"event": "log"})
        assert [(data["event"], data["site"]) for data in await heard.until(2)] == [
            ("status", "two"),
            ("gone", "two"),
        ]


async def test_callers_hear_of_what_they_see_and_of_nothing_else(api: Api) -> None:
    async with listening(api, by="ann") as heard:
        for site in ("one", "two"):
            changed(api, site)
            api.inside.stream.tell("log", site, {"event": "log", "site": site})
            api.inside.kit.bus.publish(SiteGone(site))
        api.inside.stream.tell("log", "", {"event": "log", "fields": {"due": ["two"]}})
        await calm()
        assert [(data["event"], data["site"]) for data in heard.data] == [
            ("status", "one"),
            ("log", "one"),
            ("gone", "one"),
        ]


async def test_a_label_of_a_status_does_not_open_what_the_spec_closes(api: Api) -> None:
    async with listening(api, by="ann") as heard:
        status = SiteStatus("two", Phase.READY, api.stage.world.clock.now(), labels=PROD)
        api.inside.kit.bus.publish(StatusChanged(status))
        changed(api, "one")
        assert [data["site"] for data in await heard.until(1)] == ["one"]


async def test_labels_that_nothing_has_both_of(api: Api) -> None:
    async with listening(api, "label=env%3Dtest", by="ann") as heard:
        changed(api, "one")
        await calm()
        assert (heard.status, heard.data) == (200, [])


async def test_who_is_not_let_in_any_more_hears_nothing_more(api: Api) -> None:
    api.gate.invite("ann", Scope.READ)
    async with listening(api, by="ann") as heard:
        api.inside.stream.tell("log", "one", {"event": "log", "name": "before"})
        await heard.until(1)
        del api.gate.known["ann"]
        # However much happens: nobody waits for it to be quiet.
        for number in range(3):
            api.inside.stream.tell("log", "one", {"event": "log", "name": f"after {number}"})
            await calm()
        assert [event["name"] for event in heard.data] == ["before"]
        await asyncio.wait_for(heard.ended.wait(), 10)


async def test_who_hears_nothing_of_much_that_happens_is_given_a_sign_of_life(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT", 0.05)
    async with listening(api, "event=gone") as heard:
        async with asyncio.timeout(20):
            while heard.text.count("\n: ") < 2:
                api.inside.stream.tell("log", "one", {"event": "log", "name": "not for them"})
                await asyncio.sleep(0)
        assert heard.data == []


async def test_whose_token_is_narrowed_hears_nothing_more(api: Api) -> None:
    api.gate.invite("ann", Scope.READ)
    async with listening(api, by="ann") as heard:
        api.gate.invite("ann", Scope.READ, PROD)
        api.inside.stream.tell("log", "one", {"event": "log", "name": "after"})
        await asyncio.wait_for(heard.ended.wait(), 10)
        assert heard.data == []


async def test_a_stream_ends_with_the_server(api: Api) -> None:
    async with listening(api) as heard:
        api.inside.stream.close()
        await calm()
        assert heard.status == 200


async def test_only_so_many_listen_at_once(api: Api) -> None:
    object.__setattr__(api.inside, "audience", Audience(most=2, most_of_one=1))
    async with listening(api, by="ann"), listening(api), listening(api) as third:
        assert third.status == 429
    async with listening(api) as again:
        assert again.status == 200


async def test_head_ends(api: Api) -> None:
    answer = await asyncio.wait_for(api.ask("HEAD", "/events"), 5)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_the_log_is_heard_without_what_is_secret(api: Api) -> None:
    made = logs.configure(level="info", stream=io.StringIO())
    made.redactor.register("swordfish")
    try:
        async with listening(api, "event=log") as heard:
            with logs.about(site="one"):
                structlog.get_logger("otto.run").warning(
                    "run.failed", error="password swordfish", at=object()
                )
            structlog.get_logger("otto.run").debug("run.detail")
            (found,) = await heard.until(1)
            assert (found["site"], found["level"], found["logger"]) == ("one", "warning", "otto.run")
            assert "swordfish" not in heard.text
            assert "run.detail" not in heard.text
    finally:
        made.close()


def test_a_log_entry_as_the_stream_tells_it() -> None:
    document = log_document({"event": "x", "level": "critical", "site": None, "_record": 1, "count": 3})
    assert document == {
        "event": "log",
        "at": "",
        "site": "",
        "level": "critical",
        "name": "x",
        "logger": "",
        "fields": {"count": 3},
    }


async def test_the_ring_keeps_the_newest_and_whoever_is_behind_it_is_lost() -> None:
    stream = Stream(most=3)
    with stream.listening() as slow, stream.listening() as quick:
        for number in range(3):
            stream.tell("status", "a", {"n": number})
        assert [json.loads(one.data)["n"] for one in stream.take(quick)] == [0, 1, 2]
        stream.tell("status", "a", {"n": 3})
        assert [json.loads(one.data)["n"] for one in stream.take(quick)] == [3]
        assert stream.take(quick) == []
        with pytest.raises(LostError):
            stream.take(slow)


async def test_much_is_taken_bit_by_bit() -> None:
    stream = Stream()
    with stream.listening() as listener:
        for number in range(250):
            stream.tell("status", "a", {"n": number})
        assert [len(stream.take(listener)) for _ in range(4)] == [100, 100, 50, 0]


async def test_a_listener_is_stirred_from_another_thread() -> None:
    stream = Stream()
    with stream.listening() as listener:
        await asyncio.to_thread(stream.tell, "status", "a", {})
        await asyncio.wait_for(listener.stirred.wait(), 5)
        assert len(stream.take(listener)) == 1
        assert not listener.stirred.is_set()


def test_an_event_that_is_far_too_long_is_cut() -> None:
    stream = Stream()
    stream.tell("log", "", {"event": "log", "name": "x" * 100_000, "fields": {"a": "y" * 100_000}})
    (kept,) = stream._kept.values()
    assert json.loads(kept.data) == {"event": "log", "name": "x" * 1000, "fields": {}}


def test_seats_come_free_again() -> None:
    audience = Audience(most=2, most_of_one=1)
    with audience.seat("a"):
        with pytest.raises(ProblemError), audience.seat("a"):
            pass
        with audience.seat("b"), pytest.raises(ProblemError), audience.seat("c"):
            pass
    with audience.seat("a"):
        pass
