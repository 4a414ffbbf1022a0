"""Questions over HTTP: what is no question, who may ask, and what is answered."""

import json
from dataclasses import replace

import pytest
from tests.unit.api.conftest import Api, Well, calm

from otto.api.app import create_app
from otto.api.routes.desk import _example
from otto.desk.greeting import PROTOCOL
from otto.desk.house import Household, Way
from otto.desk.questions import QUESTIONS
from otto.model.caller import Scope
from otto.testing import site_spec


@pytest.fixture
def app(api: Api) -> Api:
    for scope in Scope:
        api.gate.invite(scope.word, scope)
    api.gate.invite("limited", Scope.ADMIN, {"team": "web"})
    return api


async def test_an_answer_names_the_protocol(app: Api) -> None:
    answer = await app.post("/desk/names", {"needed": False}, by="read")
    assert (answer.status, answer.data) == (200, {"answer": []})
    assert answer.headers["x-otto-protocol"] == str(PROTOCOL)


async def test_an_error_says_all_that_it_says_at_home(app: Api) -> None:
    answer = await app.post("/desk/why", {"site": "nobody"}, by="read")
    assert answer.status == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-otto-protocol"] == str(PROTOCOL)
    assert (answer.data["detail"], answer.data["mend"]) == ("there is no site 'nobody'", "sites: none yet")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 5000, 400),
        (b'{"site": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b'"acme"', 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"site": 7}', 422),
        (b'{"site": null}', 422),
        (b'{"site": "acme", "more": 1}', 422),
        (b'{"site": "acme", "site ": 1}', 422),
        (b'{"site": "' + b"x" * 300_000 + b'"}', 413),
    ],
)
async def test_what_is_no_question(app: Api, body: bytes, status: int) -> None:
    answer = await app.post("/desk/why", body, by="read")
    assert answer.status == status, answer.body[:300]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_question_is_json(app: Api) -> None:
    answer = await app.ask("POST", "/desk/why", b'{"site": "a"}', by="read", content_type="text/plain")
    assert answer.status == 415


async def test_nobody_asks_what_they_may_not(app: Api) -> None:
    for word, kind in QUESTIONS.items():
        for scope in Scope:
            answer = await app.post(f"/desk/{word}", {"nonsense": 1}, by=scope.word)
            assert answer.status == (422 if scope >= kind.scope else 403), (word, scope, answer.body)
    told = [detail for name, detail in app.gate.refusals if name and "scope" in detail]
    assert len(told) == sum(scope < kind.scope for scope in Scope for kind in QUESTIONS.values())


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("runs", {"limit": 0}),
        ("runs", {"limit": 10**30}),
        ("audit", {"limit": -1}),
        ("pipelines", {"limit": 100_000}),
        ("progress", {"sites": [], "limit": 0}),
        ("override", {"site": "acme", "seconds": -5, "reason": "x"}),
        ("override", {"site": "acme", "seconds": 1e300, "reason": "x"}),
        ("extend", {"site": "acme", "seconds": -5}),
        ("extend", {"site": "acme", "seconds": -1e300}),
        ("token-create", {"name": "x", "scope_word": "read", "seconds": -1e300}),
        ("freeze", {"reason": "x", "until": "1999-01-01T00:00:00+00:00"}),
        ("freeze", {"reason": ""}),
        ("token-create", {"name": "x", "scope_word": "read", "seconds": -1}),
        ("token-create", {"name": "x", "scope_word": "read", "seconds": 1e300}),
        ("destroy", {"sites": []}),
        ("reap", {"items": []}),
        ("reap", {"items": ["x"] * 101}),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    app: Api, word: str, body: dict[str, object]
) -> None:
    app.stage.world.push(site_spec())
    await app.controller.watcher.look()
    answer = await app.post(f"/desk/{word}", body, by="admin")
    assert answer.status == 409, answer.body
    assert {record.entry.who for record in app.stage.world.ledger.log} <= {"otto"}
    assert await app.stage.world.ledger.grants() == ()


async def test_a_limited_token_makes_no_tokens(app: Api) -> None:
    answer = await app.post("/desk/token-create", {"name": "x", "scope_word": "read"}, by="limited")
    assert (answer.status, answer.data["detail"]) == (
        403,
        "a token that is limited to some sites may not make tokens",
    )
    assert app.gate.refusals == [("limited", answer.data["detail"])]


# They need more than the scope read, and change nothing.
LOOKS = {"examine", "read-zone", "tokens"}


async def told(*, tried: bool) -> tuple[Way, ...]:
    return (Way("a chat"),)


async def test_whatever_is_done_is_on_record_by_name(app: Api) -> None:
    inside = replace(app.inside, household=Household(ways=told))
    app = replace(app, app=create_app(app.registry, Well(), "1.2.3", inside=inside))
    app.stage.world.push(site_spec("hello", labels={"team": "web"}))
    await app.controller.watcher.look()
    await app.stage.calm(5)
    ledger, done = app.stage.world.ledger, set()
    for word, kind in QUESTIONS.items():
        if kind.scope is Scope.READ or word in LOOKS:
            continue
        before = len(ledger.log)
        if (await app.post(f"/desk/{word}", _example(kind), by="admin")).status == 200:
            assert "admin" in {record.entry.who for record in ledger.log[before:]}, word
            done.add(word)
    assert done >= {
        "ways-try",
        "pipeline-run",
        "look",
        "suspend",
        "resume",
        "destroy",
        "freeze",
        "thaw",
        "override",
    }


@pytest.mark.parametrize("by", ["limited", "admin"])
async def test_every_question_has_an_answer_or_is_refused(app: Api, by: str) -> None:
    app.stage.world.push(site_spec("hello", labels={"team": "web"}), site_spec("other"))
    await app.controller.watcher.look()
    await calm()
    for word, kind in QUESTIONS.items():
        answer = await app.post(f"/desk/{word}", _example(kind), by=by)
        assert answer.status in (200, 403, 409), (word, answer.body)
        if by == "limited":
            assert b"other" not in answer.body.replace(b"another", b""), word


async def test_tokens_as_a_store(app: Api) -> None:
    made = await app.post("/token", {"name": "ci", "scope": "write", "labels": {"team": "web"}}, by="admin")
    assert made.status == 201, made.body
    token = made.data["token"]
    assert made.headers["location"] == f"/token/{token['id']}"
    assert made.headers["cache-control"] == "no-store"
    assert made.data["secret"].startswith("otto_")
    assert (token["name"], token["scope"], token["labels"]) == ("ci", "write", {"team": "web"})
    again = await app.post("/token", {"name": "ci", "scope": "read"}, by="admin")
    assert again.status == 409
    await app.post("/token", {"name": "b", "scope": "read", "seconds": 60}, by="admin")
    first = await app.get("/token?limit=1", by="admin")
    second = await app.get(f"/token?limit=1&cursor={first.data['next']}", by="admin")
    names = {answer.data["items"][0]["name"] for answer in (first, second)}
    assert (names, second.data["next"]) == ({"ci", "b"}, None)
    web = await app.get("/token?label=team%3Dweb", by="admin")
    assert [item["name"] for item in web.data["items"]] == ["ci"]
    gone = await app.ask("DELETE", f"/token/{token['id']}", by="admin")
    assert (gone.status, gone.data["holds"]) == (200, False)
    assert (await app.ask("DELETE", f"/token/{token['id']}", by="admin")).status == 409
    secret = made.data["secret"]
    everything = json.dumps([first.data, second.data, gone.data]) + repr(app.stage.world.ledger.log)
    assert secret not in everything
    assert len([r for r in app.stage.world.ledger.log if r.entry.what.startswith("token-")]) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "ci"}, 422),
        ({"name": "", "scope": "read"}, 422),
        ({"name": "ci", "scope": "read", "more": 1}, 422),
        ({"name": "ci", "scope": "root"}, 422),
        ({"name": "ci", "scope": "read", "labels": {"Team": "x"}}, 422),
        ({"name": "ci", "scope": "read", "labels": {"otto.site": "x"}}, 409),
        ({"name": "ci", "scope": "read", "seconds": 0}, 422),
        ({"name": "ci", "scope": "read", "seconds": 1e300}, 409),
    ],
)
async def test_tokens_there_may_not_be(app: Api, body: dict[str, object], status: int) -> None:
    assert (await app.post("/token", body, by="admin")).status == status


@pytest.mark.parametrize("by", ["read", "operate", "write"])
async def test_tokens_are_for_admins(app: Api, by: str) -> None:
    assert (await app.get("/token", by=by)).status == 403
    assert (await app.post("/token", {"name": "x", "scope": "read"}, by=by)).status == 403
    assert (await app.ask("DELETE", "/token/0123456789ab", by=by)).status == 403
