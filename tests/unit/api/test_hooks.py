"""Webhooks, called as an ASGI application."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from otto.api.app import create_app
from otto.api.hooks import HookOptions, Hooks
from otto.api.seen import Seen
from otto.decide.webhooks import signature
from otto.model.delivery import Delivery, DeliveryKind

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = b"correct horse battery"
REPOSITORY = {"clone_url": "https://git.example/web/one.git"}
PUSH: dict[str, Any] = {"ref": "refs/heads/main", "after": "c" * 40, "repository": REPOSITORY}


class Healthy:
    async def alive(self) -> list[str]:
        return []

    async def ready(self) -> list[str]:
        return []


@dataclass
class Desk:
    known: Mapping[str, frozenset[str]] | None = field(
        default_factory=lambda: {"git.example/web/one": frozenset({"main"})}
    )
    there: bool = True
    taken: list[Delivery] = field(default_factory=list)
    refusals: list[tuple[str, int, str, str]] = field(default_factory=list)

    def followed(self) -> Mapping[str, frozenset[str]] | None:
        return self.known

    def take(self, delivery: Delivery) -> bool:
        if self.there:
            self.taken.append(delivery)
        return self.there

    def refused(self, sender: str, count: int, why: str, client: str) -> bool:
        self.refusals.append((sender, count, why, client))
        return True


@dataclass
class Case:
    desk: Desk = field(default_factory=Desk)
    counted: list[tuple[str, str]] = field(default_factory=list)
    passed: float = 0.0
    now: datetime = NOW
    read: int = 0
    options: HookOptions = field(default_factory=lambda: HookOptions((SECRET,), longest=10_000))

    def __post_init__(self) -> None:
        hooks = Hooks(self.desk, self.options, self, lambda: self.now, lambda: self.passed)
        self.app = create_app(CollectorRegistry(), Healthy(), "1", hooks=hooks)

    def delivered(self, sender: str, result: str, seconds: float) -> None:
        self.counted.append((sender, result))

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> tuple[int, Any]:
        sent: list[MutableMapping[str, Any]] = []
        told = {"content-length": str(len(body))} | dict(headers or {})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 7070),
            "client": ("192.0.2.7", 1),
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        }
        chunks = [body[at : at + 1000] for at in range(0, len(body), 1000)] or [b""]

        async def receive() -> MutableMapping[str, Any]:
            self.read += len(chunks[0])
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        answer = b"".join(item.get("body", b"") for item in sent[1:])
        return sent[0]["status"], json.loads(answer)

    async def push(
        self, data: Mapping[str, Any] = PUSH, number: int = 1, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        body = json.dumps(dict(data) | {"number": number}).encode()
        told = {"x-hub-signature-256": signature(SECRET, body), "x-github-event": "push"}
        return await self.post("/hooks/github", body, told | dict(headers or {}))


@pytest.fixture
def case() -> Case:
    return Case()


async def test_a_signed_delivery_is_queued(case: Case) -> None:
    assert await case.push() == (202, {"status": "queued"})
    assert [item.kind for item in case.desk.taken] == [DeliveryKind.PUSH]
    assert case.counted == [("github", "accepted")]


async def test_an_unsigned_delivery_is_refused_told_and_recorded_without_the_secret(case: Case) -> None:
    with capture_logs() as logs:
        status, answer = await case.push(headers={"x-hub-signature-256": "sha256=" + "0" * 64})
    assert (status, answer["title"]) == (401, "It is not known who asks")
    assert case.desk.taken == []
    assert case.counted == [("github", "unsigned")]
    assert case.desk.refusals == [("github", 1, "the delivery is not signed with our secret", "192.0.2.7")]
    assert [item["event"] for item in logs if item["log_level"] != "debug"] == ["webhook.refused"]
    assert SECRET.decode() not in repr(logs) + repr(case.options) + repr(answer)


async def test_many_refusals_are_told_now_and_then_with_their_number(case: Case) -> None:
    with capture_logs() as logs:
        for _ in range(50):
            await case.push(headers={"x-hub-signature-256": ""})
        case.passed = 61.0
        await case.push(headers={"x-hub-signature-256": ""})
    assert [item["count"] for item in logs if item["log_level"] != "debug"] == [1, 50]
    assert [count for _, count, _, _ in case.desk.refusals] == [1, 50]
    assert len(case.counted) == 51


async def test_a_replayed_delivery_is_refused(case: Case) -> None:
    assert (await case.push())[0] == 202
    assert (await case.push())[0] == 409
    assert (await case.push(number=2, headers={"x-github-delivery": "7"}))[0] == 202
    assert (await case.push(number=3, headers={"x-github-delivery": "7"}))[0] == 409
    assert len(case.desk.taken) == 2
    case.now = NOW + timedelta(hours=25)
    assert (await case.push())[0] == 202


async def test_a_delivery_is_known_again_after_a_restart_and_forgotten_after_a_day(tmp_path: Path) -> None:
    options = HookOptions((SECRET,), seen=tmp_path / "cache" / "deliveries")
    assert (await Case(options=options).push())[0] == 202
    assert (await Case(options=options).push(number=2))[0] == 202
    assert [(await Case(options=options).push(number=number))[0] for number in (1, 2, 3)] == [409, 409, 202]
    later = Case(options=options, now=NOW + timedelta(hours=25))
    assert (await later.push())[0] == 202


@pytest.mark.parametrize("text", ["", "garbage\n\xff", "1767323045 abc", "x" * 100_000])
async def test_a_damaged_memory_of_deliveries_stops_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deliveries"
    path.write_text(text, encoding="latin-1")
    case = Case(options=HookOptions((SECRET,), seen=path))
    assert (await case.push())[0] == 202
    assert (await Case(options=HookOptions((SECRET,), seen=path)).push())[0] == 409


async def test_a_memory_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with capture_logs() as logs:
        case = Case(options=HookOptions((SECRET,), seen=tmp_path / "file" / "deliveries"))
        assert [(await case.push(number=number))[0] for number in (1, 2, 2)] == [202, 202, 409]
    assert [item["event"] for item in logs if item["event"] == "webhook.unremembered"] == [
        "webhook.unremembered"
    ]


async def test_what_is_remembered_of_deliveries_does_not_grow_without_end(tmp_path: Path) -> None:
    seen = Seen(lambda: NOW, tmp_path / "deliveries")
    for number in range(1500):
        seen.add(f"{number}-{item}" for item in range(100))
    assert (tmp_path / "deliveries").stat().st_size < 44 * 130_000
    assert Seen(lambda: NOW, tmp_path / "deliveries").any(["1499-99"])


async def test_a_delivery_that_nobody_took_may_come_again(case: Case) -> None:
    case.desk.there = False
    assert (await case.push())[0] == 503
    case.desk.there = True
    assert (await case.push())[0] == 202


async def test_a_body_that_is_too_long_is_refused_unread(case: Case) -> None:
    status, answer = await case.post("/hooks/github", b"x" * 50_000)
    assert (status, case.read) == (413, 0)
    assert "10000 bytes" in answer["detail"]
    status, _ = await case.post("/hooks/github", b"x" * 50_000, {"content-length": "7"})
    assert status == 413
    assert case.read <= 11_000
    assert case.counted == [("github", "too-large")] * 2


async def test_an_unknown_repository_is_refused(case: Case) -> None:
    other = PUSH | {"repository": {"clone_url": "https://git.example/web/other.git"}}
    status, answer = await case.push(other)
    assert status == 404
    assert "no site" in answer["detail"]
    assert case.counted == [("github", "unknown")]


@pytest.mark.parametrize("data", [{"ref": 7}, {}, {"ref": "main", "repository": {}}])
async def test_what_makes_no_sense_is_refused(case: Case, data: dict[str, Any]) -> None:
    assert (await case.push(data))[0] == 400


async def test_deep_json_is_refused(case: Case) -> None:
    body = b'{"a":' * 1000 + b"1" + b"}" * 1000
    headers = {"x-hub-signature-256": signature(SECRET, body), "x-github-event": "push"}
    status, answer = await case.post("/hooks/github", body, headers)
    assert (status, "levels deep" in answer["detail"]) == (400, True)


async def test_another_branch_and_a_ping_are_ignored(case: Case) -> None:
    assert await case.push(PUSH | {"ref": "refs/heads/other"}) == (200, {"status": "ignored"})
    assert await case.push(headers={"x-github-event": "ping"}) == (200, {"status": "ignored"})
    assert case.desk.taken == []


async def test_a_form_is_read_as_well(case: Case) -> None:
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    headers = {"x-hub-signature-256": signature(SECRET, body), "x-github-event": "push"}
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await case.post("/hooks/github", body, headers | form))[0] == 202
    bad = {"x-hub-signature-256": signature(SECRET, b"\xff=&" * 3), "x-github-event": "push"}
    assert (await case.post("/hooks/github", b"\xff=&" * 3, bad | form))[0] == 400


async def test_what_curl_calls_a_form_is_the_json_it_is(case: Case) -> None:
    body, now = b'{"repository": "https://git.example/web/one.git", "ref": "main"}', str(int(NOW.timestamp()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-otto-timestamp": now,
        "x-otto-signature": signature(SECRET, body, now),
    }
    assert (await case.post("/hooks/generic", body, headers))[0] == 202


async def test_without_a_secret_webhooks_are_off() -> None:
    case = Case(options=HookOptions())
    assert (await case.push())[0] == 404
    assert case.counted == [("github", "off")]


async def test_a_controller_that_starts_says_so(case: Case) -> None:
    case.desk.known = None
    assert (await case.push())[0] == 503


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/metrics", 405),
        ("/healthz", 405),
        ("/hooks", 404),
        ("/hooks/", 404),
        ("/hooks/other", 404),
        ("/hooks/github/x", 404),
    ],
)
async def test_nothing_else_may_be_posted(case: Case, path: str, status: int) -> None:
    assert (await case.post(path, b"{}"))[0] == status


async def test_webhooks_are_only_posted_to(case: Case) -> None:
    assert (await case.post("/hooks/github", b"", method="GET"))[0] == 405
    assert (await case.post("/hooks/github", b"", method="PUT"))[0] == 405
