"""The HTTP application, called as an ASGI application: no socket, no client library."""

import contextlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from tests.unit.api.conftest import Api

from otto.api.app import create_app
from otto.api.problems import Kind
from otto.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Health:
    def __init__(self, alive: Sequence[str] = (), ready: Sequence[str] = ()) -> None:
        self._alive = alive
        self._ready = ready

    async def alive(self) -> Sequence[str]:
        return self._alive

    async def ready(self) -> Sequence[str]:
        return self._ready


class BrokenHealth(Health):
    async def alive(self) -> Sequence[str]:
        raise ZeroDivisionError("secret inside")


async def get(app: Any, path: str, method: str = "GET", accept: str = "*/*") -> Answer:
    sent: list[dict[str, Any]] = []
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
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1:7070"), (b"accept", accept.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    # Starlette answers, then raises for the server's own log.
    with contextlib.suppress(ZeroDivisionError):
        await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(item.get("body", b"") for item in sent[1:])
    return Answer(sent[0]["status"], headers, body)


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("otto_runs", "Runs.", registry=registry).inc(3)
    return registry


async def test_metrics_are_in_prometheus_text_format(registry: CollectorRegistry) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert b"otto_runs_total 3.0" in answer.body


async def test_metrics_are_openmetrics_for_who_asks(registry: CollectorRegistry) -> None:
    app = create_app(registry, Health(), "1.2.3")
    answer = await get(app, "/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_well(registry: CollectorRegistry, path: str) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), path)
    assert (answer.status, answer.data) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("path", "reasons"),
    [("/healthz", ["the loop ended"]), ("/readyz", ["the source was never read", "the store is read-only"])],
)
async def test_not_well_says_why(registry: CollectorRegistry, path: str, reasons: list[str]) -> None:
    answer = await get(create_app(registry, Health(reasons, reasons), "1.2.3"), path)
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.data["reasons"] == reasons
    assert answer.data["type"] == "/problems/unavailable"


@pytest.mark.parametrize(("path", "method", "status"), [("/nothing", "GET", 404), ("/metrics", "POST", 405)])
async def test_errors_are_problems(registry: CollectorRegistry, path: str, method: str, status: int) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), path, method)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.data["status"] == status


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_head_says_what_get_would_without_the_body(registry: CollectorRegistry, path: str) -> None:
    app = create_app(registry, Health(ready=["not yet"]), "1.2.3")
    got, asked = await get(app, path), await get(app, path, "HEAD")
    assert (asked.status, asked.body) == (got.status, b"")
    assert _but_for_the_id(asked) == _but_for_the_id(got)


def _but_for_the_id(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_no_answer_may_be_kept(registry: CollectorRegistry, path: str) -> None:
    answer = await get(create_app(registry, Health(ready=["not yet"]), "1.2.3"), path)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
async def test_what_is_not_there_names_what_is(registry: CollectorRegistry, method: str) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), "/metrics", method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_name_what_can_be_done(registry: CollectorRegistry) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), "/metrics", "OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "BREW"])
async def test_where_no_route_leads_there_is_nothing(registry: CollectorRegistry, method: str) -> None:
    assert (await get(create_app(registry, Health(), "1.2.3"), "/nothing", method)).status == 404


async def test_a_mistake_of_ours_tells_nothing_of_its_inside(registry: CollectorRegistry) -> None:
    answer = await get(create_app(registry, BrokenHealth(), "1.2.3"), "/healthz")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == answer.data["request_id"]
    assert b"secret" not in answer.body


async def test_the_manual_loads_nothing_from_elsewhere_and_no_script(registry: CollectorRegistry) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), "/docs")
    page = answer.body.decode()
    assert answer.status == 200
    assert "default-src 'none'; style-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|<style|\son\w+=|(src|href)=\"(https?:|//)", page)
    assert 'href="/docs/style.css"' in page
    assert (await get(create_app(registry, Health(), "1.2.3"), "/docs/style.css")).status == 200


async def test_the_description_names_every_route(registry: CollectorRegistry) -> None:
    answer = await get(create_app(registry, Health(), "1.2.3"), "/openapi.json")
    assert answer.data["info"]["version"] == "1.2.3"
    assert {"/metrics", "/healthz", "/readyz"} <= set(answer.data["paths"])


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.slug)
async def test_the_type_of_a_problem_leads_to_what_it_means(registry: CollectorRegistry, kind: Kind) -> None:
    app = create_app(registry, Health(), "1.2.3")
    answer = await get(app, kind.uri)
    assert answer.status == 200
    assert html.escape(kind.title) in answer.body.decode()
    assert kind.uri.encode() in (await get(app, "/problems")).body


async def test_every_answer_is_guarded_against_being_framed_sniffed_or_kept(
    registry: CollectorRegistry,
) -> None:
    for path in ("/healthz", "/nothing", "/docs", "/openapi.json"):
        headers = (await get(create_app(registry, Health(), "1.2.3"), path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in headers


async def test_requests_are_counted_by_the_route_that_answered(api: Api) -> None:
    for url in ("/site/one/status", "/site/two/status", "/no/such/path", "/healthz"):
        await api.get(url)
    await api.ask("HEAD", "/site")
    await api.ask("BREW", "/site")
    await api.ask("GET", "/site", client="192.0.2.1")

    def times(method: str, route: str, status: int) -> float:
        return api.counted("api_requests_total", method=method, route=route, status=str(status))

    assert times("GET", "/site/{site}/status", 404) == 2
    assert times("GET", "other", 404) == 1
    assert times("GET", "/healthz", 200) == 1
    assert times("HEAD", "/site", 200) == 1
    assert times("other", "other", 405) == 1
    assert times("GET", "other", 401) == 1  # refused before a route is looked for
    labels = {"method": "GET", "route": "/site/{site}/status"}
    assert api.counted("api_request_duration_seconds_count", **labels) == 2


async def test_a_mistake_of_ours_is_counted() -> None:
    metrics = Metrics()
    app = create_app(metrics.registry, BrokenHealth(), "1.2.3", counted=metrics)
    assert (await get(app, "/healthz")).status == 500
    labels = {"method": "GET", "route": "/healthz", "status": "500"}
    assert metrics.registry.get_sample_value("otto_api_requests_total", labels) == 1
