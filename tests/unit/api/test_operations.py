"""What may be asked of sites: on record, in force, and by whom."""

import pytest
from tests.unit.api.conftest import Api
from tests.unit.reconcile.stage import Stage, web

from otto.model.caller import Scope
from otto.model.history import GrantKind
from otto.model.policy import Policy
from otto.model.status import Phase
from otto.testing import site_spec

OPERATIONS = ["reconcile", "suspend", "resume", "approve", "reject", "destroy"]


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.world.push(site_spec("one", labels={"env": "prod"}))
    return stage


@pytest.fixture
async def api(api: Api) -> Api:
    await api.stage.calm(5)
    api.gate.invite("ann", Scope.READ)
    api.gate.invite("bob", Scope.OPERATE)
    api.gate.invite("cyd", Scope.ADMIN, {"env": "test"})
    return api


def recorded(api: Api, what: str) -> list[tuple[str, str, str, str]]:
    log = api.stage.world.ledger.log
    return [
        (e.who, e.site, e.reason, e.detail.get("as", "")) for e in (r.entry for r in log) if e.what == what
    ]


async def test_a_site_is_left_alone_and_goes_on(api: Api) -> None:
    answer = await api.post("/site/one/suspend", {"note": "the move"}, by="bob")
    assert answer.status == 202
    assert answer.data["links"]["status"] == "/site/one/status"
    assert recorded(api, "suspend") == [("bob", "one", "the move", "token bob")]
    await api.stage.calm(5)
    assert (await api.get("/site/one/status")).data["phase"] == "Suspended"
    assert (await api.post("/site/one/resume", by="bob")).status == 202
    await api.stage.calm(5)
    assert (await api.get("/site/one/status")).data["phase"] == "Ready"


async def test_a_site_is_looked_at_now(api: Api) -> None:
    before = len(await api.stage.world.store.runs("one"))
    assert (await api.post("/site/one/reconcile", by="bob")).status == 202
    await api.stage.calm(5)
    runs = await api.stage.world.store.runs("one")
    assert len(runs) == before + 1
    assert [step.kind for step in runs[0].steps][-1] == "verify"
    assert recorded(api, "reconcile") == [("bob", "one", "", "token bob")]


async def test_steps_can_be_named(api: Api) -> None:
    assert (await api.post("/site/one/reconcile", {"steps": ["configure"]})).status == 202
    await api.stage.calm(5)
    assert "configure" in {step.kind for step in (await api.stage.last_run("one")).steps}


async def test_a_site_is_taken_down(api: Api) -> None:
    assert (await api.post("/site/one/destroy", {"note": "over"})).status == 202
    await api.stage.calm(60)
    assert (await api.stage.status("one")).phase is Phase.DESTROYED
    assert recorded(api, "destroy")[0][0] == "local"


async def test_a_plan_is_approved_by_its_digest(api: Api) -> None:
    policy = Policy(approval="always")
    api.stage.world.push(site_spec("one", labels={"env": "prod"}, web=web(3), policy=policy))
    await api.inside.controller.watcher.look()
    await api.stage.calm(5)
    plan = (await api.get("/site/one/status")).data["plan"]
    assert plan
    wrong = await api.post("/site/one/approve", {"digest": "0" * 12}, by="bob")
    assert wrong.status == 409
    said = await api.post("/site/one/approve", {"digest": plan[:12], "note": "yes"}, by="bob")
    assert (said.status, said.data["what"], said.data["given"]["by"]) == (200, "approve", "bob")
    again = await api.post("/site/one/approve", {"digest": plan[:12]}, by="bob")
    assert again.status in (200, 409)
    await api.stage.calm(60)
    assert len((await api.get("/site/one/inventory")).data["items"]) == 4


async def test_a_plan_is_rejected_by_its_digest(api: Api) -> None:
    policy = Policy(approval="always")
    api.stage.world.push(site_spec("one", labels={"env": "prod"}, web=web(3), policy=policy))
    await api.inside.controller.watcher.look()
    await api.stage.calm(5)
    plan = (await api.get("/site/one/status")).data["plan"]
    assert (await api.post("/site/one/reject", {"digest": plan[:12]}, by="bob")).data["what"] == "reject"
    assert [grant.kind for grant in await api.stage.world.ledger.grants(site="one")] == [GrantKind.REJECT]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_who_may_only_see_may_ask_for_nothing(api: Api, operation: str) -> None:
    before = len(api.stage.world.ledger.log)
    answer = await api.post(f"/site/one/{operation}", {"digest": "0" * 12}, by="ann")
    assert answer.status == 403
    assert await api.stage.world.store.intents("one") == frozenset()
    assert {r.entry.what for r in api.stage.world.ledger.log[before:]} <= {"refuse"}


async def test_what_cannot_be_done_as_things_are_is_on_record_and_a_look_that_finds_nothing_is_not(
    api: Api,
) -> None:
    refused = await api.post("/site/one/approve", {"digest": "0" * 12}, by="bob")
    assert refused.status == 409
    assert api.gate.refusals == [("bob", refused.data["detail"])]
    assert (await api.post("/desk/why", {"site": "abc"}, by="bob")).status == 409
    assert (await api.get("/site/abc/status", by="bob")).status == 404
    assert len(api.gate.refusals) == 1


async def test_taking_a_site_down_needs_more_than_operating_it(api: Api) -> None:
    assert (await api.post("/site/one/destroy", by="bob")).status == 403


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_site_that_is_not_theirs_is_not_there(api: Api, operation: str) -> None:
    answer = await api.post(f"/site/one/{operation}", {"digest": "0" * 12}, by="cyd")
    assert answer.status == 404
    assert await api.stage.world.store.intents("one") == frozenset()


async def test_a_token_speaks_for_nobody_else(api: Api) -> None:
    assert (await api.post("/site/one/suspend", {"by": "eve"}, by="bob")).status == 403
    assert (await api.post("/site/one/suspend", {"by": "bob"}, by="bob")).status == 202
    assert (await api.post("/site/one/suspend", {"by": "eve"})).status == 202
    assert [who for who, *_ in recorded(api, "suspend")] == ["bob", "eve"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"note": "x" * 501}, 422),
        ({"note": 7}, 422),
        ({"notes": "x"}, 422),
        ({"note": "a\x1b[2Jb"}, 409),
        ([], 422),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"note": ' + b"[" * 100_000, 400),
        ({"steps": ["dance"]}, 422),
    ],
)
async def test_a_body_that_does_not_fit_changes_nothing(api: Api, body: object, status: int) -> None:
    assert (await api.post("/site/one/reconcile", body)).status == status
    assert recorded(api, "reconcile") == []
