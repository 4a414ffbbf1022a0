"""What the API tells of sites, hosts and history, and to whom."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.api.conftest import Api, api_over, calm
from tests.unit.reconcile.stage import Stage, web

from otto.model.caller import Scope
from otto.model.canonical import to_data
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.host import HostState, LiveHost
from otto.model.image import Channel, Image
from otto.model.policy import Policy
from otto.model.run import Outcome, Run
from otto.model.status import Phase
from otto.reconcile.told import ORPHANS
from otto.testing import site_spec

PROD = {"env": "prod"}


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.world.push(
        site_spec("one", labels={**PROD, "team": "web"}), site_spec("two"), site_spec("six", labels=PROD)
    )
    return stage


@pytest.fixture
async def api(api: Api) -> Api:
    await api.stage.calm(5)
    api.gate.invite("ann", Scope.READ, PROD)
    return api


def names(answer: Any, key: str = "name") -> list[str]:
    assert answer.status == 200, answer.body
    return [item[key] for item in answer.data["items"]]


async def test_sites_come_by_name_with_their_statuses(api: Api) -> None:
    answer = await api.get("/site")
    assert names(answer) == ["one", "six", "two"]
    assert answer.data["next"] is None
    assert "link" not in answer.headers
    assert {item["phase"] for item in answer.data["items"]} == {"Ready"}


async def test_a_list_goes_on_where_it_ended_whatever_comes_meanwhile(api: Api) -> None:
    first = await api.get("/site?limit=1&label=env%3Dprod")
    assert names(first) == ["one"]
    assert (
        first.headers["link"] == f'</site?limit=1&label=env%3Dprod&cursor={first.data["next"]}>; rel="next"'
    )
    api.stage.world.push(site_spec("eve", labels=PROD), site_spec("seven", labels=PROD))
    await api.inside.controller.watcher.look()
    second = await api.get(f"/site?limit=9&label=env%3Dprod&cursor={first.data['next']}")
    assert names(second) == ["seven", "six"]


async def test_pages_of_every_list_are_the_whole_list(api: Api) -> None:
    for number in range(3):
        await api.inside.kit.ledger.append(
            AuditEntry(api.stage.world.clock.now(), "ada", "freeze", str(number))
        )
    for path, key in (
        ("/site", "name"),
        ("/inv", "name"),
        ("/runs", "id"),
        ("/audit", "number"),
        ("/pipelines", "id"),
    ):
        whole = names(await api.get(path), key)
        assert len(whole) > 2, path
        found: list[str] = []
        cursor = ""
        while True:
            answer = await api.get(f"{path}?limit=2&cursor={cursor}")
            found += names(answer, key)
            cursor = answer.data["next"]
            if cursor is None:
                break
            assert f"cursor={cursor}>" in answer.headers["link"]
        assert found == whole, path


@pytest.mark.parametrize("path", ["/runs", "/audit", "/pipelines", "/orphans"])
async def test_every_list_of_what_belongs_to_sites_is_narrowed_by_their_labels(api: Api, path: str) -> None:
    for site in ("one", "six", "two"):
        await api.inside.kit.ledger.append(AuditEntry(api.stage.world.clock.now(), "ada", "freeze", site))
    strays = [
        LiveHost(f"i-{site}", f"{site}-web-9", site, "web", HostState.RUNNING) for site in ("one", "two")
    ]
    await api.stage.world.store.set_value(ORPHANS, json.dumps(to_data(strays)))

    async def about(query: str, by: str = "") -> set[str]:
        found = (await api.get(f"{path}?{query}", by=by)).data["items"]
        return {item["site"] for item in found}

    prod = {"one"} if path == "/orphans" else {"one", "six"}
    everything = {"one", "two"} if path == "/orphans" else {"one", "six", "two"}
    assert await about("") >= everything
    assert await about("label=env%3Dprod") == prod == await about("", by="ann")
    assert (
        await about("label=env%3Dprod&label=team%3Dweb") == {"one"} == await about("label=team%3Dweb", "ann")
    )
    assert await about("label=env%3Dtest", by="ann") == set() == await about("label=a%3Db&label=a%3Dc")
    assert (await api.get(f"{path}?label=prod")).status == 422


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "W10",
        "WyIvc2l0ZSJd",
        "WyIvcnVucyIsMV0",
        "eyJhIjoxfQ",
        "%00",
        "é",
        "WyIvc2l0ZSIsMV0",
        "A" * 1000,
        "[" * 900,
    ],
)
async def test_a_cursor_that_nobody_gave_out_is_refused(api: Api, cursor: str) -> None:
    answer = await api.get(f"/site?cursor={quote(cursor, safe='%')}")
    assert answer.status == 400
    assert answer.data["type"] == "/problems/malformed"


async def test_a_cursor_counts_for_its_own_list_alone(api: Api) -> None:
    cursor = (await api.get("/runs?limit=1")).data["next"]
    assert (await api.get(f"/pipelines?cursor={cursor}")).status == 400
    assert (await api.get(f"/site/one/history?cursor={cursor}")).status == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("label=env%3Dprod", ["one", "six"]),
        ("label=env%3Dprod&label=team%3Dweb", ["one"]),
        ("label=env%3Dtest", []),
        ("label=env%3Dprod&label=env%3Dtest", []),
        ("phase=Ready", ["one", "six", "two"]),
        ("phase=Ready&phase=Drifted&ready=true", ["one", "six", "two"]),
        ("ready=false", []),
        ("provider=lab", ["one", "six", "two"]),
    ],
)
async def test_sites_are_filtered(api: Api, query: str, found: list[str]) -> None:
    assert names(await api.get(f"/site?{query}")) == found


@pytest.mark.parametrize(
    "query",
    ["label=env", "label=%3Dx", "phase=Nice", "ready=perhaps", "limit=0", "limit=1001", "provider=mars"],
)
async def test_a_filter_that_makes_no_sense_is_told_where(api: Api, query: str) -> None:
    answer = await api.get(f"/site?{query}")
    assert answer.status == 422
    assert answer.data["errors"][0]["at"].startswith("query/")


@pytest.mark.parametrize("part", ["status", "why", "diff", "plan", "history", "inventory"])
async def test_a_site_is_told_of(api: Api, part: str) -> None:
    answer = await api.get(f"/site/one/{part}")
    assert answer.status == 200
    assert b"one" in answer.body


@pytest.mark.parametrize("part", ["status", "why", "diff", "plan", "history", "inventory"])
async def test_of_a_site_that_is_not_theirs_callers_learn_no_more_than_of_none(api: Api, part: str) -> None:
    theirs, none = await api.get(f"/site/two/{part}", by="ann"), await api.get(f"/site/abc/{part}", by="ann")
    assert theirs.status == none.status == 404
    own = ("instance", "request_id")
    told = [
        {name: value for name, value in answer.data.items() if name not in own} for answer in (theirs, none)
    ]
    told[0]["detail"] = told[0]["detail"].replace("two", "abc")
    assert told[0] == told[1]


async def test_lists_hold_what_the_caller_sees_and_nothing_else(api: Api) -> None:
    assert names(await api.get("/site", by="ann")) == ["one", "six"]
    assert names(await api.get("/site?label=env%3Dtest", by="ann")) == []
    for path in ("/runs", "/pipelines", "/audit"):
        assert set(names(await api.get(path, by="ann"), "site")) == {"one", "six"}, path
        assert names(await api.get(f"{path}?site=two", by="ann"), "site") == [], path
    assert {item["site"] for item in (await api.get("/inv", by="ann")).data["items"]} == {"one", "six"}
    assert names(await api.get("/inv?site=two", by="ann")) == []
    assert (await api.get("/inv/two-web-1", by="ann")).status == 404
    run = names(await api.get("/runs?site=two"), "id")[0]
    assert (await api.get(f"/runs/{run}", by="ann")).status == 404
    pipeline = names(await api.get("/pipelines?site=two"), "id")[0]
    assert (await api.get(f"/pipelines/{pipeline}", by="ann")).status == 404
    assert b"two" not in (await api.get("/controller", by="ann")).body
    assert (await api.get("/metrics", by="ann")).status == 403


async def test_a_label_that_a_site_loses_hides_it_at_once(api: Api) -> None:
    assert (await api.get("/site/six/status", by="ann")).status == 200
    api.stage.world.push(site_spec("six"))
    await api.inside.controller.watcher.look()
    assert (await api.get("/site/six/status", by="ann")).status == 404


async def test_what_did_not_change_is_not_sent_again(api: Api) -> None:
    first = await api.get("/site/one/status")
    again = await api.get("/site/one/status", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    await api.inside.store.set_intent("one", "suspend", on=True)
    changed = await api.get("/site/one/status", if_none_match=first.headers["etag"])
    assert changed.status == 200
    assert changed.data["intents"] == ["suspend"]
    assert changed.headers["etag"] != first.headers["etag"]


async def test_a_status_in_a_list_is_the_newest(api: Api) -> None:
    await api.get("/site")
    status = await api.stage.status("one")
    await api.stage.world.store.save_status(
        status.__class__("one", Phase.DRIFTED, status.updated_at, message="x")
    )
    found = {item["name"]: item["phase"] for item in (await api.get("/site")).data["items"]}
    assert found == {"one": "Drifted", "six": "Ready", "two": "Ready"}


async def test_runs_are_filtered_by_outcome(api: Api) -> None:
    now = api.stage.world.clock.now()
    failed = Run("x", "one", "push", now + timedelta(hours=1), ended_at=now, outcome=Outcome.FAILED)
    await api.stage.world.store.save_run(failed)
    assert names(await api.get("/runs?outcome=failed"), "id") == ["x"]
    assert names(await api.get("/site/one/history?outcome=failed"), "id") == ["x"]
    assert names(await api.get("/site/two/history?outcome=failed"), "id") == []
    assert (await api.get("/runs/x")).data["outcome"] == "failed"


async def test_hosts_are_told_with_what_was_observed_of_them(api: Api) -> None:
    host = (await api.get("/inv/one-web-1")).data
    assert (host["site"], host["role"], host["provider"], host["declared"]) == ("one", "web", "lab", False)
    assert host["state"] == "running"
    assert host["facts"]["services"]
    assert host["facts_at"]
    assert host["unseen"] == ""
    assert names(await api.get("/inv?role=balancer")) == [
        "one-balancer-1",
        "six-balancer-1",
        "two-balancer-1",
    ]
    assert names(await api.get("/site/one/inventory?limit=1")) == ["one-balancer-1"]


async def test_what_is_not_theirs_and_what_is_not_there_is_refused_alike_and_on_record(api: Api) -> None:
    for site in ("two", "abc"):
        api.gate.refusals.clear()
        for path in (f"/site/{site}/status", f"/inv/{site}-web-1", f"/site/{site}"):
            assert (await api.get(path, by="ann")).status == 404
        for word in ("why", "runs", "rollout"):
            assert (await api.post(f"/desk/{word}", {"site": site}, by="ann")).status == 409
        assert len(api.gate.refusals) == 6
        assert {who for who, _ in api.gate.refusals} == {"ann"}
    api.gate.refusals.clear()
    assert (await api.get("/site/abc/status")).status == 404  # nobody is kept from anything here
    assert api.gate.refusals == []


@pytest.mark.parametrize("item", ["nothing", "one-web-9", "abc-web-1", "One", "one-web-1.example"])
async def test_a_host_that_is_none_is_not_found(api: Api, item: str) -> None:
    assert (await api.get(f"/inv/{item}")).status in (404, 422)


async def test_images_come_newest_first_with_their_channels(api: Api) -> None:
    index, now = api.stage.world.store.images, api.stage.world.clock.now()
    digests = [f"sha256:{number:064x}" for number in range(3)]
    for number, digest in enumerate(digests):
        await index.add(Image("nginx", digest, "base", now + timedelta(seconds=number // 2)))
    await index.point(Channel("nginx", "stable", digests[0], now, "ada"))
    first = await api.get("/images?limit=2")
    assert names(first, "digest") == [digests[2], digests[1]]
    rest = await api.get(f"/images?limit=2&cursor={first.data['next']}")
    assert names(rest, "digest") == [digests[0]]
    assert rest.data["items"][0]["channels"] == ["stable"]
    shown = (await api.get(f"/images/{digests[0]}")).data
    assert [channel["name"] for channel in shown["channels"]] == ["stable"]
    assert (await api.get(f"/images/sha256:{'f' * 64}")).status == 404


async def test_the_controller_tells_of_its_source_and_freezes(api: Api) -> None:
    now = api.stage.world.clock.now()
    await api.stage.world.ledger.grant(Grant(GrantKind.FREEZE, "", "ada", now, reason="the move"))
    found = (await api.get("/controller")).data
    assert found["version"] == "1.2.3"
    assert found["sites"] == 3
    assert found["source"]["commit"]
    assert [freeze["reason"] for freeze in found["freezes"]] == ["the move"]


async def test_a_plan_tells_what_would_be_done_and_does_nothing(api: Api) -> None:
    wish = site_spec("two", web=web(3), policy=Policy(approval="always"))
    api.stage.world.push(wish)
    await api.inside.controller.watcher.look()
    await api.stage.calm(5)
    before = len(await api.stage.world.store.runs("two"))
    plan = (await api.get("/site/two/plan")).data
    assert plan["plan"]["steps"][0]["kind"] == "provision"
    assert plan["verdict"]
    assert len(await api.stage.world.store.runs("two")) == before


async def test_a_site_whose_content_is_gone_cannot_be_planned_and_that_is_no_mistake_of_ours(
    api: Api,
) -> None:
    api.stage.world.source.commit({"sites/two/index.html": None})
    await api.inside.controller.watcher.look()
    answer = await api.get("/site/two/plan")
    assert (answer.status, answer.data["type"]) == (409, "/problems/conflict")


async def test_nothing_is_told_without_a_token_to_who_comes_from_elsewhere(api: Api) -> None:
    for path in ("/site", "/site/one/status", "/inv", "/events", "/metrics", "/nothing"):
        answer = await api.ask("GET", path, client="192.0.2.1")
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("/healthz", "/openapi.json", "/docs", "/problems/conflict"):
        assert (await api.ask("GET", path, client="192.0.2.1")).status == 200, path


async def test_the_walker_s_paths_are_nobody_s(api: Api) -> None:
    for path in ("/site/walk", "/site/walk/", "/site/walk/status", "/site/walk/one/pages"):
        assert (await api.get(path)).status == 404
    assert (await api.post("/site/walk/destroy")).status == 404
    assert (await api.ask("OPTIONS", "/site/walk/status")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/site/One/status",
        "/site/..%2fone/status",
        "/site/one%00/status",
        "/site/a%20b/status",
        f"/site/{'a' * 41}/status",
    ],
)
async def test_what_is_no_name_of_a_site_leads_nowhere(api: Api, path: str) -> None:
    assert (await api.get(path)).status in (400, 404)


async def test_every_request_has_an_id_that_its_problem_tells(api: Api) -> None:
    own = await api.get("/site/abc/status", x_request_id="abc-1.2_3")
    assert own.headers["x-request-id"] == own.data["request_id"] == "abc-1.2_3"
    assert own.data["instance"] == "urn:otto:request:abc-1.2_3"
    for bad in ("", "a b", "x" * 65, "é", "-a", "a\r\nb"):
        made = await api.get("/site/abc/status", x_request_id=bad)
        assert made.headers["x-request-id"] == made.data["request_id"]
        assert made.data["request_id"] not in ("", bad)


async def test_it_answers_while_the_stage_is_empty(tmp_path: Any) -> None:
    async with api_over(Stage(tmp_path)) as api:
        await calm()
        for path in ("/site", "/inv", "/runs", "/pipelines", "/images", "/audit", "/orphans"):
            assert (await api.get(path)).data == {"items": [], "next": None}
