"""Rates, origins, bodies: what is refused before any route is looked for."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.unit.api.conftest import Api, api_over
from tests.unit.reconcile.stage import Stage

from otto.api.app import Options
from otto.api.problems import ProblemError
from otto.api.rates import Rates
from otto.model.caller import Scope

LISTED = "https://console.example.org"


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[Api]:
    options = Options(
        origins=(LISTED,), rate=1.0, burst=3, longest=1000, scrub=lambda text: text.replace("hush", "…")
    )
    async with api_over(stage, options) as made:
        made.gate.invite("ann")
        made.gate.invite("bob", Scope.ADMIN)
        yield made


async def test_a_caller_has_so_many_requests_and_is_told_when_to_come_again(api: Api) -> None:
    assert [(await api.get("/site", by="ann")).status for _ in range(4)] == [200, 200, 200, 429]
    refused = await api.get("/site", by="ann")
    assert refused.headers["retry-after"] == "1"
    assert api.gate.refusals == [("ann", "more than 1 requests a second came from here")] * 2
    assert refused.data["type"] == "/problems/too-many-requests"
    assert (await api.get("/site", by="bob")).status == 200
    assert {(await api.get("/site")).status for _ in range(20)} == {200}  # on the machine itself


async def test_whoever_guesses_tokens_is_told_so_by_their_address(api: Api) -> None:
    found = [(await api.ask("GET", "/site", by=f"guess{n}", client="192.0.2.1")).status for n in range(14)]
    assert found == [401] * 12 + [429] * 2
    assert (await api.ask("GET", "/healthz", client="192.0.2.1")).status == 429
    assert (await api.ask("GET", "/healthz", client="192.0.2.2")).status == 200


def test_buckets_fill_again() -> None:
    now = 0.0
    rates = Rates(2.0, 2, lambda: now)
    rates.take("a")
    rates.take("a")
    for passed, taken in ((0.0, False), (0.5, True), (0.5, False), (60.0, True), (60.0, True), (60.0, False)):
        now = passed
        if taken:
            rates.take("a")
        else:
            with pytest.raises(ProblemError) as refused:
                rates.take("a")
            assert refused.value.headers == {"retry-after": "1"}


def test_many_callers_are_not_kept_in_mind_for_ever() -> None:
    rates = Rates(1.0, 1, lambda: 0.0)
    for number in range(20_000):
        rates.take(str(number))
    assert len(rates._left) == 10_000


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:7071", "https://127.0.0.1:7070"]
)
async def test_pages_of_other_sites_are_refused(api: Api, method: str, origin: str) -> None:
    answer = await api.ask(method, "/site/one/destroy" if method == "POST" else "/site", origin=origin)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_what_a_browser_sends_for_another_site_without_saying_its_origin_is_refused(api: Api) -> None:
    assert (await api.ask("POST", "/site/one/suspend", sec_fetch_site="cross-site")).status == 403
    assert (await api.ask("GET", "/site", sec_fetch_site="cross-site")).status == 200  # a link was followed


async def test_this_server_s_own_pages_may_ask(api: Api) -> None:
    assert (await api.get("/site", origin="http://127.0.0.1:7070")).status == 200


async def test_pages_of_listed_origins_may_ask_and_read(api: Api) -> None:
    answer = await api.get("/site", by="ann", origin=LISTED)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in answer.headers
    flight = await api.ask(
        "OPTIONS",
        "/site/one/suspend",
        origin=LISTED,
        access_control_request_method="POST",
        access_control_request_headers="authorization",
    )
    assert flight.status == 200
    assert "POST" in flight.headers["access-control-allow-methods"]


async def test_a_page_that_would_send_what_is_not_taken_is_told_so_by_a_problem(api: Api) -> None:
    for origin, header in ((LISTED, "x-secret"), ("https://evil.example", "authorization")):
        answer = await api.ask(
            "OPTIONS",
            "/site",
            origin=origin,
            access_control_request_method="GET",
            access_control_request_headers=header,
        )
        assert answer.status == answer.data["status"] == 403
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["/site%2fone", "/site/one%2Fstatus", "/inv/..%5c..%5cetc", "/site/..%2ftoken", "/problems/%2f"],
)
async def test_a_slash_in_disguise_leads_nowhere(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status, answer.data["type"]) == (400, "/problems/malformed")


@pytest.mark.parametrize(
    "path",
    ["/site/", "//site", "/site/../token", "/site/./one", "/inv/../site", "/site/%ff", "/site/h\u0435llo"],
)
async def test_a_path_means_one_thing_and_nobody_is_sent_elsewhere(api: Api, path: str) -> None:
    answer = await api.get(path, host="localhost")
    assert answer.status == 404
    assert "location" not in answer.headers


async def test_without_a_list_no_page_may_ask(stage: Stage) -> None:
    async with api_over(stage) as api:
        answer = await api.ask("OPTIONS", "/site", origin=LISTED, access_control_request_method="GET")
        assert answer.status == 403
        assert not any(name.startswith("access-control") for name in answer.headers)


async def test_a_body_that_is_too_long_is_refused(api: Api) -> None:
    answer = await api.post("/site/one/suspend", b" " * 1001)
    assert answer.status == 413
    assert answer.data["type"] == "/problems/too-large"


async def test_secrets_are_taken_out_of_what_is_told_of_errors(api: Api) -> None:
    answer = await api.get("/runs/hush")
    assert answer.status == 404
    assert "hush" not in answer.data["detail"]


async def test_what_was_sent_is_not_repeated_where_it_does_not_fit(api: Api) -> None:
    answer = await api.post("/site/one/suspend", {"note": 7, "password": "swordfish"})
    assert "swordfish" not in json.dumps(answer.data)
