"""Writes by HTTP: one commit each, with If-Match where something could be lost, and clear refusals."""

import asyncio
from typing import Any

import pytest
from tests.unit.api.asking import Answer
from tests.unit.api.conftest import Api, calm
from tests.unit.reconcile.stage import Stage

from otto.adapters.specs import YamlSpecs
from otto.model.caller import Scope
from otto.model.errors import TerminalError, TransientError
from otto.model.status import Phase
from otto.ports.specbook import MovedError
from otto.testing import World

HELLO = """\
# hello, by hand
apiVersion: otto/v1
kind: Site
metadata: {name: hello, labels: {team: web}}
spec:
  web: {count: 2}  # two
  content: {path: sites/hello}
  rollout: {strategy: all, soak: 0s}
"""
ZONE = """\
apiVersion: otto/v1
kind: Domain
metadata: {name: example.org, labels: {team: web}}
spec:
  provider: rfc2136
  records:
    # the front door
    - name: "@"
      type: MX
      values: ["10 mail.example.org."]
    - {name: www, type: A, values: [192.0.2.1]}  # one
"""


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.world = World(stage.world.clock, YamlSpecs())
    files = {
        "specs/hello.yaml": HELLO,
        "specs/zone.yaml": ZONE,
        "sites/hello/index.html": "<h1>It works</h1>",
    }
    stage.world.source.commit(files)
    return stage


@pytest.fixture
async def api(api: Api) -> Api:
    for name, scope, labels in (
        ("ann", Scope.WRITE, {"team": "web"}),
        ("bob", Scope.READ, {}),
        ("eve", Scope.WRITE, {"team": "ops"}),
        ("root", Scope.ADMIN, {}),
    ):
        api.gate.invite(name, scope, labels)
    return api


def text(api: Api, path: str) -> str:
    source = api.stage.world.source
    assert source.head
    return source.read(source.entries(source.head)[path].blob).decode()


async def tag(api: Api, url: str) -> str:
    return (await api.get(url)).headers["etag"]


def good(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.body
    return answer.data


def new(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "otto/v1",
        "kind": "Site",
        "metadata": {"name": name, "labels": {"team": "web"}},
        "spec": {"content": {"path": "sites/hello"}, **spec},
    }


async def test_a_site_is_read_as_it_was_written_and_sent_back_changed(api: Api) -> None:
    read = await api.get("/site/hello")
    document = good(read)
    assert document["spec"]["web"] == {"count": 2}
    assert read.headers["x-otto-commit"] == api.stage.world.source.head
    assert (await api.get("/site/hello", if_none_match=read.headers["etag"])).status == 304
    document["spec"]["web"]["count"] = 3
    answer = await api.ask(
        "PUT", "/site/hello", document, by="ann", if_match=read.headers["etag"], x_reason="a%20sale"
    )
    told = good(answer)
    assert told["changed"]
    assert told["commit"] == api.stage.world.source.head
    assert told["digest"]
    assert told["links"]["status"] == "/site/hello/status"
    assert answer.headers["etag"] == await tag(api, "/site/hello") != read.headers["etag"]
    assert text(api, "specs/hello.yaml") == HELLO.replace("count: 2", "count: 3")
    assert "\n\na sale\n\n" in api.stage.world.specbook.commissions[told["commit"]].message


async def test_put_and_patch_say_which_version_they_mean(api: Api) -> None:
    patch = {"spec": {"suspend": True}}
    seen = await tag(api, "/site/hello")
    for method, body in (("PUT", new("hello")), ("PATCH", patch)):
        assert (await api.ask(method, "/site/hello", body)).status == 428
        answer = await api.ask(method, "/site/hello", body, if_match='"0123"')
        assert answer.status == 412
        assert answer.headers["etag"] == seen
        assert (await api.ask(method, "/site/none", body)).status == 428
        assert (await api.ask(method, "/site/none", body, if_match='"x"')).status == 412
    assert good(await api.ask("PATCH", "/site/hello", patch, if_match=f'W/"x", {seen}'))["changed"]
    assert (await api.ask("PATCH", "/site/hello", patch, if_match=seen)).status == 412
    assert not good(await api.ask("PATCH", "/site/hello", patch, if_match="*"))["changed"]


async def test_post_and_delete_work_bare_and_honour_if_match(api: Api) -> None:
    made = await api.ask("POST", "/site/fresh", new("fresh"))
    assert good(made, 201)["file"] == "specs/sites/fresh.yaml"
    assert made.headers["location"] == "/site/fresh"
    assert (await api.ask("POST", "/site/fresh", new("fresh"))).status == 409
    assert (await api.ask("DELETE", "/site/fresh", if_match='"0"')).status == 412
    gone = good(await api.ask("DELETE", "/site/fresh"))
    assert gone["document"] is None
    assert (await api.get("/site/fresh")).status == 404
    assert (await api.ask("DELETE", "/site/fresh")).status == 404


async def test_a_teardown_is_an_admins_and_has_a_reason(api: Api) -> None:
    assert (await api.ask("DELETE", "/site/hello?teardown=1", by="ann", x_reason="over")).status == 403
    assert (await api.ask("DELETE", "/site/hello?teardown=1", by="root")).status == 422
    url = "/site/hello?teardown=1&at=2030-01-01T00:00:00"
    assert (await api.ask("DELETE", url, by="root", x_reason="over")).status == 422
    good(await api.ask("DELETE", f"{url}Z", by="root", x_reason="over"))
    assert "reason: over" in text(api, "specs/tombstones/hello.yaml")
    assert "at: '2030-01-01T00:00:00+00:00'" in text(api, "specs/tombstones/hello.yaml")


async def test_who_may_only_read_writes_nothing_and_others_documents_are_not_there(api: Api) -> None:
    before = api.stage.world.source.head
    seen = await tag(api, "/site/hello")
    for by, status in (("bob", 403), ("eve", 404)):
        for method, body in (("PATCH", {"spec": {}}), ("PUT", new("hello")), ("DELETE", None)):
            headers = {"if_match": seen} if method != "DELETE" else {}
            answer = await api.ask(method, "/site/hello", body, by=by, **headers)
            assert answer.status in {status, 412}, (by, method)
            there = await api.ask(method, "/site/nothere", body, by=by, **headers)
            assert there.status == answer.status
    assert (await api.get("/site/hello", by="eve")).status == 404
    assert (await api.ask("POST", "/site/hello", new("hello"), by="eve")).status == 409
    assert api.stage.world.source.head == before


async def test_what_does_not_fit_is_told_with_its_place(api: Api) -> None:
    answer = await api.ask("POST", "/site/bad", new("bad", web={"count": "many"}))
    assert answer.status == 422
    (error,) = answer.data["errors"]
    assert error["at"] == "/spec/web/count"
    assert error["found"]
    assert (await api.ask("POST", "/site/bad", new("good"))).status == 422


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b'{"a": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400),
        (b'{"a": ' + b"1" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"apiVersion: otto/v1", "application/yaml", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-8", 422),
    ],
)
async def test_a_body_that_readers_would_understand_differently_is_refused(
    api: Api, body: bytes, kind: str, status: int
) -> None:
    answer = await api.ask("POST", "/site/x", body, content_type=kind)
    assert answer.status == status, answer.body


async def test_a_dry_run_is_the_plan_and_no_commit(api: Api) -> None:
    before = api.stage.world.source.head
    seen = await tag(api, "/site/hello")
    answer = await api.ask("PATCH", "/site/hello?dry_run=1", {"spec": {"web": {"count": 4}}}, if_match=seen)
    told = good(answer)
    assert told["dry_run"]
    (touched,) = told["touched"]
    assert touched["name"] == "hello"
    assert touched["plan"]["steps"]
    assert touched["verdict"]["kind"]
    assert api.stage.world.source.head == before


async def test_an_answer_can_wait_until_it_is_so(api: Api) -> None:
    await api.stage.calm(5)
    seen = await tag(api, "/site/hello")
    asked = asyncio.create_task(
        api.ask("PATCH", "/site/hello?wait=ready", {"spec": {"web": {"count": 3}}}, if_match=seen)
    )
    for _ in range(40):
        await api.stage.calm(1)
        if asked.done():
            break
    told = good(await asked)
    assert told["ready"] is True
    status = await api.stage.status("hello")
    assert (status.phase, status.digest) == (Phase.READY, told["digest"])


async def test_an_answer_that_waited_in_vain_says_so(api: Api) -> None:
    await api.stage.calm(5)
    api.stage.world.infrastructure.failures.always("apply", TransientError("away"))
    seen = await tag(api, "/site/hello")
    asked = asyncio.create_task(
        api.ask("PATCH", "/site/hello?wait=ready&timeout=3", {"spec": {"web": {"count": 3}}}, if_match=seen)
    )
    for _ in range(10):
        await api.stage.calm(1)
    assert good(await asked, 202)["ready"] is False


async def test_a_remote_that_refuses_or_is_away_is_told_as_that(api: Api) -> None:
    seen = await tag(api, "/site/hello")
    patch = {"spec": {"suspend": True}}
    api.stage.world.specbook.failures.next("publish", TerminalError("main is protected: ask ops"))
    answer = await api.ask("PATCH", "/site/hello", patch, if_match=seen)
    assert (answer.status, answer.data["detail"]) == (409, "main is protected: ask ops")
    api.stage.world.specbook.failures.next("head", TransientError("the remote is away"))
    answer = await api.ask("PATCH", "/site/hello", patch, if_match=seen)
    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert api.counted("writes_total", kind="Site", result="refused") == 1
    assert api.counted("writes_total", kind="Site", result="failed") == 1


async def test_writes_are_counted_by_what_became_of_them(api: Api) -> None:
    async def patch(count: int, if_match: str) -> int:
        body = {"spec": {"web": {"count": count}}}
        return (await api.ask("PATCH", "/site/hello", body, if_match=if_match)).status

    seen = await tag(api, "/site/hello")
    api.stage.world.specbook.failures.next("publish", MovedError())
    asked = asyncio.create_task(patch(3, seen))
    async with asyncio.timeout(20):
        while not asked.done():  # it reaches its pause by way of other threads
            await api.stage.calm(1)
    assert await asked == 200  # somebody else's commit came first: it was made anew
    assert await patch(4, seen) == 412
    assert await patch(3, await tag(api, "/site/hello")) == 200
    assert (await api.ask("PATCH", "/site/hello?dry_run=1", {"spec": {}}, if_match="*")).status == 200
    results = ("committed", "refused", "unchanged", "failed")
    found = {result: api.counted("writes_total", kind="Site", result=result) for result in results}
    assert found == {"committed": 1, "refused": 1, "unchanged": 1, "failed": 0}
    assert api.counted("write_retries_total") == 1
    assert api.counted("write_duration_seconds_count") == 3


@pytest.mark.parametrize(
    "path", ["/site/walk", "/site/..%2fx", "/site/A", "/site/a%00", "/dom/x", "/dom/-.a"]
)
async def test_no_path_trick_gets_through(api: Api, path: str) -> None:
    before = api.stage.world.source.head
    assert (await api.ask("POST", path, new("x"))).status in {400, 404, 405, 422}
    assert api.stage.world.source.head == before


class TestDomains:
    async def test_a_secret_that_was_pushed_by_mistake_is_in_no_answer(self, api: Api) -> None:
        bad = ZONE.replace("rfc2136", "digitalocean\n  credentials: swordfish")
        api.stage.world.source.commit({"specs/zone.yaml": bad})
        await api.inside.controller.watcher.look()
        read = await api.get("/dom/example.org")
        assert good(read)["spec"]["credentials"] == "a value that is not shown here"
        back = await api.ask("PUT", "/dom/example.org", read.data, if_match=read.headers["etag"])
        assert back.status == 422
        mended = {"spec": {"credentials": "env:DIGITALOCEAN_TOKEN"}}
        told = await api.ask("PATCH", "/dom/example.org", mended, if_match=read.headers["etag"])
        assert good(told)["document"]["spec"]["credentials"] == "env:DIGITALOCEAN_TOKEN"
        for path in ("/dom", "/audit", "/dom/dns/example.org", "/controller"):
            assert b"swordfish" not in (await api.get(path)).body + read.body + back.body + told.body

    async def test_zones_are_listed_and_read(self, api: Api) -> None:
        (zone,) = good(await api.get("/dom"))["items"]
        assert (zone["name"], zone["records"], zone["provider"]) == ("example.org", 2, "rfc2136")
        assert good(await api.get("/dom", by="eve"))["items"] == []
        assert good(await api.get("/dom/example.org"))["spec"]["provider"] == "rfc2136"
        records = good(await api.get("/dom/dns/example.org"))["items"]
        assert [one["name"] for one in records] == ["@", "www"]
        assert good(await api.get("/dom/dns/example.org?rec=www"))["items"] == records[1:]
        first = good(await api.get("/dom/dns/example.org?limit=1"))
        second = good(await api.get(f"/dom/dns/example.org?limit=1&cursor={first['next']}"))
        assert [*first["items"], *second["items"]] == records
        assert second["next"] is None
        assert (await api.get("/dom/dns/example.org", by="eve")).status == 404

    async def test_a_record_is_added_beside_what_a_person_wrote(self, api: Api) -> None:
        good(await api.ask("POST", "/dom/dns/example.org?rec=www+A+192.0.2.2", by="ann"))
        good(await api.ask("POST", "/dom/dns/example.org", {"name": "app", "site": "hello"}, by="ann"))
        found = text(api, "specs/zone.yaml")
        assert "{name: www, type: A, values: [192.0.2.1, 192.0.2.2]}  # one" in found
        assert found.endswith("    - name: app\n      site: hello\n")
        assert "# the front door" in found
        again = good(await api.ask("POST", "/dom/dns/example.org?rec=www+A+192.0.2.2", by="ann"))
        assert not again["changed"]

    async def test_records_go_by_name_type_or_value(self, api: Api) -> None:
        good(await api.ask("POST", "/dom/dns/example.org?rec=www+A+192.0.2.2&rec=www+60+TXT+a+b"))
        good(await api.ask("DELETE", "/dom/dns/example.org?rec=www+A+192.0.2.1"))
        records = good(await api.get("/dom/dns/example.org?rec=www"))["items"]
        assert records == [
            {"name": "www", "type": "A", "values": ["192.0.2.2"]},
            {"name": "www", "type": "TXT", "values": ["a b"], "ttl": 60},
        ]
        good(await api.ask("DELETE", "/dom/dns/example.org?rec=www"))
        assert good(await api.get("/dom/dns/example.org?rec=www"))["items"] == []

    async def test_a_list_of_records_goes_on_where_it_ended_whatever_comes_and_goes(self, api: Api) -> None:
        url = "/dom/dns/example.org"
        good(
            await api.ask("POST", f"{url}?rec=b+A+192.0.2.1&rec=d+A+192.0.2.1&rec=d+TXT+x&rec=f+A+192.0.2.1")
        )
        first = good(await api.get(f"{url}?limit=3"))
        assert [one["name"] for one in first["items"]] == ["@", "b", "d"]
        # The last one that was given out goes, others come before and behind it.
        good(await api.ask("DELETE", f"{url}?rec=d+A"))
        good(await api.ask("DELETE", f"{url}?rec=@"))
        good(await api.ask("POST", f"{url}?rec=a+A+192.0.2.1&rec=c+A+192.0.2.1&rec=e+A+192.0.2.1"))
        second = good(await api.get(f"{url}?limit=9&cursor={first['next']}"))
        assert [(one["name"], one["type"]) for one in second["items"]] == [
            ("d", "TXT"),
            ("e", "A"),
            ("f", "A"),
            ("www", "A"),
        ]
        assert second["next"] is None

    async def test_records_sent_back_in_another_order_stay_where_they_are(self, api: Api) -> None:
        url, before = "/dom/dns/example.org", text(api, "specs/zone.yaml")
        read = await api.get(url)
        back = [*reversed(good(read)["items"]), {"name": "b", "type": "A", "values": ["192.0.2.7"]}]
        good(await api.ask("PUT", url, back, if_match=read.headers["etag"]))
        assert text(api, "specs/zone.yaml").startswith(before)

    async def test_records_are_replaced_all_or_by_name_and_type(self, api: Api) -> None:
        url = "/dom/dns/example.org"
        assert (await api.ask("PUT", f"{url}?rec=www+A+192.0.2.9")).status == 428
        seen = await tag(api, url)
        assert seen == await tag(api, "/dom/example.org") == await tag(api, "/dom/ns/example.org")
        good(await api.ask("PUT", f"{url}?rec=www+A+192.0.2.9", if_match=seen))
        assert good(await api.get(f"{url}?rec=www"))["items"][0]["values"] == ["192.0.2.9"]
        one = [{"name": "@", "type": "TXT", "values": ["x"]}]
        good(await api.ask("PUT", url, {"records": one}, if_match=await tag(api, url)))
        assert good(await api.get(url))["items"] == one

    @pytest.mark.parametrize("rec", ["", "www", "www A", "www NOPE x", "www+A+not-an-address"])
    async def test_what_is_no_record_is_refused(self, api: Api, rec: str) -> None:
        answer = await api.ask("POST", f"/dom/dns/example.org?rec={rec.replace(' ', '+')}")
        assert answer.status == 422, answer.body

    async def test_nameservers_are_set_and_taken_out(self, api: Api) -> None:
        url = "/dom/ns/example.org"
        good(await api.ask("POST", f"{url}?ns=ns1.example.net,NS2.example.net.", by="ann"))
        assert good(await api.get(url))["nameservers"] == ["ns1.example.net", "ns2.example.net"]
        good(await api.ask("DELETE", f"{url}?ns=ns1.example.net"))
        assert good(await api.get(url))["nameservers"] == ["ns2.example.net"]
        good(await api.ask("DELETE", url))
        assert good(await api.get(url))["nameservers"] == []
        assert (await api.ask("POST", f"{url}?ns=,")).status == 422

    async def test_fifty_records_at_once_are_all_there(self, api: Api) -> None:
        urls = [f"/dom/dns/example.org?rec=n+A+192.0.2.{n}" for n in range(1, 51)]
        found = await asyncio.gather(*(api.ask("POST", url) for url in urls))
        assert {answer.status for answer in found} == {200}
        (record,) = good(await api.get("/dom/dns/example.org?rec=n"))["items"]
        assert len(record["values"]) == 50

    async def test_a_zone_is_made_replaced_and_removed(self, api: Api) -> None:
        zone = {
            "apiVersion": "otto/v1",
            "kind": "Domain",
            "metadata": {"name": "new.example"},
            "spec": {"provider": "rfc2136"},
        }
        good(await api.ask("POST", "/dom/new.example", zone), 201)
        seen = await tag(api, "/dom/new.example")
        good(await api.ask("PATCH", "/dom/new.example", {"spec": {"dnssec": True}}, if_match=seen))
        assert text(api, "specs/domains/new.example.yaml").endswith("  dnssec: true\n")
        good(await api.ask("DELETE", "/dom/new.example"))
        assert (await api.get("/dom/new.example")).status == 404
        assert (await api.ask("POST", "/dom/dns/new.example?rec=www+A+192.0.2.1")).status == 404


async def test_every_write_and_refusal_is_on_record(api: Api) -> None:
    await api.ask("DELETE", "/site/hello", if_match='"0"', by="ann")
    await api.ask("DELETE", "/site/hello", by="ann", x_request_id="abc")
    await calm()
    entries = [record.entry for record in await api.stage.world.ledger.records()]
    mine = [(entry.what, entry.summary) for entry in entries if entry.who == "ann"]
    assert mine == [("refuse", "remove site hello refused"), ("write", "remove site hello")]


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIgVGQ7OWaHr3vAZXoRWLSoMHdWhQKjN4f5yyEMiSAcg"


def machine(name: str, address: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "otto/v1",
        "kind": "Host",
        "metadata": {"name": name, "labels": {"team": "web"}},
        "spec": {"address": address, "hostKey": KEY, **spec},
    }


class TestMachines:
    async def test_one_is_declared_read_changed_and_removed(self, api: Api) -> None:
        place = api.stage.world.hosts.place("old1")
        made = await api.ask("POST", "/inv/old1", machine("old1", place.address), by="ann")
        assert good(made, 201)["file"] == "specs/hosts/old1.yaml"
        read = await api.get("/inv/old1", by="ann")
        assert good(read)["declared"] is True
        assert read.data["declaration"]["spec"]["address"] == place.address
        assert read.headers["etag"] == made.headers["etag"]
        assert (await api.get("/inv/old1", by="eve")).status == 404
        joined = {"spec": {"site": "hello"}}
        good(await api.ask("PATCH", "/inv/old1", joined, by="ann", if_match=read.headers["etag"]))
        await api.stage.calm(10)
        found = good(await api.get("/site/hello/inventory"))["items"]
        assert {item["name"]: item["declared"] for item in found} == {
            "hello-balancer-1": False,
            "hello-web-1": False,
            "hello-web-2": False,
            "old1": True,
        }
        assert good(await api.get("/inv/old1"))["facts"]
        good(await api.ask("DELETE", "/inv/old1", by="ann"))
        assert (await api.get("/inv/old1")).status == 404

    async def test_those_without_a_site_come_first_in_the_list(self, api: Api) -> None:
        await api.stage.calm(5)
        for number in (1, 2):
            good(
                await api.ask("POST", f"/inv/old{number}", machine(f"old{number}", f"192.0.2.{number}")), 201
            )
        names, cursor = [], ""
        while True:
            page = good(await api.get(f"/inv?limit=1{cursor}"))
            names += [item["name"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert names == ["old1", "old2", "hello-balancer-1", "hello-web-1", "hello-web-2"]
        assert good(await api.get("/inv?label=team=ops"))["items"] == []

    async def test_hosts_that_otto_made_are_not_written(self, api: Api) -> None:
        await api.stage.calm(5)
        for method, body in (("POST", machine("hello-web-1", "192.0.2.1")), ("PATCH", {}), ("DELETE", None)):
            headers = {"if_match": "*"} if method == "PATCH" else {}
            answer = await api.ask(method, "/inv/hello-web-1", body, **headers)
            assert answer.status == 409
            assert "PATCH /site/hello" in answer.data["mend"]

    async def test_nobody_puts_a_machine_into_a_site_that_is_not_theirs(self, api: Api) -> None:
        body = machine("spy", "192.0.2.66", site="hello")
        body["metadata"]["labels"] = {"team": "ops"}
        answer = await api.ask("POST", "/inv/spy", body, by="eve")
        assert answer.status == 404
        good(
            await api.ask("POST", "/inv/spy", {**body, "spec": machine("x", "192.0.2.66")["spec"]}, by="eve"),
            201,
        )
        seen = (await api.get("/inv/spy", by="eve")).headers["etag"]
        joined = await api.ask("PATCH", "/inv/spy", {"spec": {"site": "hello"}}, by="eve", if_match=seen)
        assert joined.status == 404

    async def test_a_bad_declaration_is_shown_so_that_it_can_be_mended(self, api: Api) -> None:
        bad = "apiVersion: otto/v1\nkind: Host\nmetadata: {name: bad}\nspec: {address: 127.0.0.1}\n"
        api.stage.world.source.commit({"specs/bad.yaml": bad})
        await api.inside.controller.watcher.look()
        read = await api.get("/inv/bad")
        assert "not watched" in good(read)["unseen"]
        body = machine("bad", "192.0.2.7")
        good(await api.ask("PUT", "/inv/bad", body, if_match=read.headers["etag"]))


async def test_a_change_that_is_refused_is_on_record_and_one_that_is_made_is_not(api: Api) -> None:
    seen, url = await tag(api, "/site/hello"), "/site/hello"
    patch = {"spec": {"web": {"count": 3}}}
    wrong = {"spec": {"web": {"count": -1}}}
    for body, if_match, status in ((patch, "", 428), (patch, '"0"', 412), (wrong, seen, 422)):
        api.gate.refusals.clear()
        answer = await api.ask("PATCH", url, body, by="ann", **({"if_match": if_match} if if_match else {}))
        assert answer.status == status
        assert api.gate.refusals == [("ann", answer.data["detail"])]
    api.gate.refusals.clear()
    good(await api.ask("PATCH", url, patch, by="ann", if_match=seen))
    assert api.gate.refusals == []


async def test_why_a_site_waits_is_not_looked_for_in_sites_of_others(api: Api) -> None:
    other = {**new("wiki", suspend=True), "metadata": {"name": "wiki", "labels": {"team": "ops"}}}
    good(await api.ask("POST", "/site/wiki", other, by="root"), 201)
    good(await api.ask("POST", "/site/shop", new("shop", dependsOn=["wiki"]), by="root"), 201)
    await api.stage.calm(5)
    told = {who: good(await api.get("/site/shop/why", by=who))["blockers"] for who in ("root", "ann")}
    assert {who: [item["kind"] for item in found] for who, found in told.items()} == {
        "root": ["dependency"],
        "ann": ["waiting"],  # as its own status says, and no further
    }
