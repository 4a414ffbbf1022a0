"""Bodies of requests, whatever route they are sent to: JSON that every reader understands the same."""

import re
from collections.abc import AsyncIterator

import pytest
from tests.unit.api.conftest import Api, api_over
from tests.unit.reconcile.stage import Stage

from otto.api.app import OPTIONS
from otto.model.caller import Scope
from otto.testing import site_spec

VALUES = {"site": "one", "item": "old", "domain": "example.org", "token": "0123456789ab"}
# Webhooks are read by the rules of their forges.
OTHERS = re.compile("/hooks?/|/webhook")


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[Api]:
    stage.world.push(site_spec("one"))
    async with api_over(stage) as made:
        await made.stage.calm(5)
        yield made


async def routes(api: Api) -> list[tuple[str, str]]:
    """Methods and paths of all that take a body."""
    found = [
        (method.upper(), path.format(**VALUES))
        for path, methods in (await api.get("/openapi.json")).data["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation and not OTHERS.search(path)
    ]
    assert len(found) > 60
    return found


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"note": "a", "note": "b"}', "application/json", 400),
        (b'{"a": {"site": "one", "site": "two"}}', "application/json", 400),
        (b'{"note": NaN}', "application/json", 400),
        (b'{"note": "\\ud800"}', "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b'{"note": "\xff"}', "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400),
        (b'{"note": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"{} {}", "application/json", 400),
        (b"a: &b [x]\nc: *b\n", "application/yaml", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"note=x", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused_wherever_it_is_sent(
    api: Api, body: bytes, media_type: str, status: int
) -> None:
    # How a body is read is one function of few: those are the ways to come to it.
    for method, path in (("POST", "/site/one/suspend"), ("POST", "/desk/why"), ("PUT", "/site/one")):
        answer = await api.ask(method, path, body, content_type=media_type, if_match="*")
        assert answer.status == status, (method, path, answer.body)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_no_route_reads_a_body_otherwise(api: Api) -> None:
    for method, path in await routes(api):
        for body, media_type, status in (
            (b'{"a": {"site": "one", "site": "two"}}', "application/json", 400),
            (b"{}", "text/plain", 415),
        ):
            answer = await api.ask(method, path, body, content_type=media_type, if_match="*")
            assert answer.status == status, (method, path, answer.body)


async def test_what_cannot_be_read_is_on_record_where_it_asks_for_a_change(api: Api) -> None:
    api.gate.invite("ann", Scope.ADMIN)
    reading, changing = set[str](), set[str]()
    for method, path in await routes(api):
        api.gate.refusals.clear()
        answer = await api.ask(
            method, path, b"{} {}", by="ann", content_type="application/json", if_match="*"
        )
        noted = api.gate.refusals == [("ann", answer.data["detail"])]
        assert noted or not api.gate.refusals
        (changing if noted else reading).add(path)
    assert {"/site/one", "/site/one/suspend", "/desk/suspend", "/dom/dns/example.org", "/token"} <= changing
    assert {"/desk/why", "/desk/status"} <= reading
    assert all(path.startswith("/desk/") for path in reading)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/site/one/suspend", {"note": 1}, 422),
        ("/site/one/suspend", b'{"note": "' + b"x" * OPTIONS.longest + b'"}', 413),
        ("/token", {"name": "a"}, 422),
    ],
)
async def test_a_body_that_does_not_fit_is_on_record(api: Api, path: str, body: object, status: int) -> None:
    api.gate.invite("ann", Scope.ADMIN)
    answer = await api.ask("POST", path, body, by="ann", content_type="application/json")
    assert answer.status == status
    assert api.gate.refusals == [("ann", answer.data["detail"])]
