"""Writes for callers of the API: judged as pushes, one commit each, nothing lost, nothing shown to others."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.config import SourceSettings
from otto.model.caller import Caller, Scope
from otto.model.document import Data, Kind, Written
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import AuditEntry
from otto.model.policy import FleetPolicy
from otto.model.signature import Demand, KnownKey, Signatures
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.writing import Burial, InvalidError, NotAllowedError, NotThereError, Order, TakenError
from otto.reconcile.controller import Controller
from otto.reconcile.stores.stores import Asked, Stores
from otto.testing import FakeClock, World

from .stage import Stage

ADA = Caller("Ada", Scope.WRITE, token="t1", address="192.0.2.1")
ROOT = Caller("Root", Scope.ADMIN)
WEB = Caller("Web", Scope.WRITE, {"team": "web"})
ACME = """\
# acme, by hand
apiVersion: otto/v1
kind: Site
metadata:
  name: acme
  labels: {team: ops}
spec:
  web:
    count: 2  # two
  content: {path: sites/acme}
"""


def site(name: str = "acme", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "otto/v1",
        "kind": "Site",
        "metadata": {"name": name, "labels": {"team": "web"}},
        "spec": {"content": {"path": "sites/acme"}, **spec},
    }


class House:
    """A controller that is not at work, over a repository of YAML."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.world = World(FakeClock(auto=True), CachedSpecs(YamlSpecs()))
        stage = Stage(home)
        stage.world = self.world
        self.controller: Controller = stage.controller(SourceSettings(**settings))
        assert self.controller.stores is not None
        self.stores: Stores = self.controller.stores

    async def open(self, files: dict[str, str | None] | None = None) -> "House":
        page = {"sites/acme/index.html": "<h1>It works</h1>"}
        self.world.source.commit({"specs/acme.yaml": ACME, **page} if files is None else {**page, **files})
        await self.controller.fleet.load()
        await self.controller.watcher.look()
        return self

    def text(self, path: str = "specs/acme.yaml") -> str:
        assert self.world.source.head
        return self.world.source.read(self.world.source.entries(self.world.source.head)[path].blob).decode()

    def paths(self) -> set[str]:
        assert self.world.source.head
        return set(self.world.source.entries(self.world.source.head))

    async def audit(self) -> list[AuditEntry]:
        return [record.entry for record in await self.world.ledger.records()]

    def message(self) -> str:
        assert self.world.source.head
        return self.world.specbook.commissions[self.world.source.head].message

    def patch(self, spec: dict[str, Any], caller: Caller = ADA, name: str = "acme") -> Order:
        return self.stores.patch(Kind.SITE, name, {"spec": spec}, Asked(caller, "a sale\n\nOtto-Token: me"))


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


async def test_a_patch_is_one_commit_in_the_words_of_whoever_wanted_it(house: House) -> None:
    before = house.world.source.head
    written = await house.stores.write(house.patch({"web": {"count": 3}}))
    assert written.changed
    assert written.commit == house.world.source.head != before
    assert house.text() == ACME.replace("count: 2  # two", "count: 3  # two")
    assert written.document is not None
    assert written.document.data["spec"]["web"]["count"] == 3
    assert written.document == house.stores.get(Kind.SITE, "acme", ADA)
    assert written.digest
    subject, why, trailers = house.message().strip().split("\n\n")
    assert subject == "Site acme: spec.web.count"
    assert why == "a sale Otto-Token: me"
    assert trailers == "Otto-Via: api\nOtto-Token: t1"
    commission = house.world.specbook.commissions[written.commit]
    assert (commission.author, commission.email) == ("Ada", "ada@localhost")


async def test_the_controller_knows_at_once(house: House) -> None:
    await house.stores.write(house.patch({"web": {"count": 3}}))
    assert house.controller.fleet.catalogue.sites["acme"].web.count == 3
    assert await asyncio.wait_for(house.world.queue.get(), 1) == ("acme", "push")


async def test_a_write_that_changes_nothing_makes_no_commit(house: House) -> None:
    before = house.world.source.head
    written = await house.stores.write(house.patch({"web": {"count": 2}, "gone": None}))
    assert not written.changed
    assert house.world.source.head == written.commit == before
    assert not await house.audit()


async def test_a_new_document_gets_a_file_of_its_own_below_the_folder_of_specs(house: House) -> None:
    for _ in range(1):
        written = await house.stores.write(house.stores.creation(Kind.SITE, "new", site("new"), Asked(ADA)))
    assert written.document is not None
    assert written.document.file == "specs/sites/new.yaml"
    assert house.stores.get(Kind.SITE, "new", WEB).data == site("new")
    with pytest.raises(TakenError):
        await house.stores.write(house.stores.creation(Kind.SITE, "new", site("new"), Asked(ADA)))


async def test_no_file_of_somebody_elses_is_written_over(tmp_path: Path) -> None:
    house = await House(tmp_path).open({"specs/sites/new.yaml": ACME})
    await house.stores.write(house.stores.creation(Kind.SITE, "new", site("new"), Asked(ADA)))
    assert house.paths() == {"specs/sites/new.yaml", "specs/sites/new-2.yaml"}
    assert house.text("specs/sites/new.yaml") == ACME


async def test_a_replaced_document_keeps_its_comments(house: House) -> None:
    data = site(web={"count": 5})
    await house.stores.write(house.stores.replacement(Kind.SITE, "acme", data, Asked(ROOT)))
    assert "# acme, by hand" in house.text()
    assert "count: 5  # two" in house.text()
    assert house.stores.get(Kind.SITE, "acme", ROOT).data == data


async def test_a_removed_site_leaves_no_file_and_keeps_serving(house: House) -> None:
    written = await house.stores.write(house.stores.removal(Kind.SITE, "acme", Asked(ADA)))
    assert written.document is None
    assert house.paths() == set()
    with pytest.raises(NotThereError):
        house.stores.get(Kind.SITE, "acme", ADA)
    with pytest.raises(NotThereError):
        await house.stores.write(house.stores.removal(Kind.SITE, "acme", Asked(ADA)))


async def test_a_site_is_taken_down_by_a_tombstone_and_brought_back_without_it(house: House) -> None:
    with pytest.raises(NotAllowedError):
        house.stores.removal(Kind.SITE, "acme", Asked(ADA), Burial("over"))
    await house.stores.write(house.stores.removal(Kind.SITE, "acme", Asked(ROOT), Burial("it is over")))
    assert house.paths() == {"specs/tombstones/acme.yaml"}
    stone = house.controller.fleet.tombstone("acme")
    assert stone is not None
    assert (stone.reason, stone.by) == ("it is over", "Root")
    back = await house.stores.write(house.stores.creation(Kind.SITE, "acme", site(), Asked(ADA)))
    assert back.notes == ("its tombstone in specs/tombstones/acme.yaml:1 was taken out",)
    assert house.paths() == {"specs/sites/acme.yaml"}


def _with(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = site()
    change(data)
    return data


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (_with(lambda d: d["metadata"].update(name="other")), "/metadata/name"),
        (_with(lambda d: d.update(kind="Domain")), "/kind"),
        (_with(lambda d: d.update(apiVersion="v9")), "/apiVersion"),
        (_with(lambda d: d["spec"].update(web={"count": "many"})), "/spec/web/count"),
        (_with(lambda d: d["spec"].update(nonsense=1)), "/spec/nonsense"),
        (_with(lambda d: d["spec"].update(content={"path": "../etc"})), "/spec/content/path"),
        (_with(lambda d: d["spec"].update(dependsOn=["nobody"])), "/spec/dependsOn/0"),
    ],
)
async def test_what_no_push_could_bring_is_refused_with_the_place(
    house: House, data: dict[str, Any], pointer: str
) -> None:
    before = house.world.source.head
    with pytest.raises(InvalidError) as caught:
        await house.stores.write(house.stores.replacement(Kind.SITE, "acme", data, Asked(ROOT)))
    assert pointer in [problem.pointer for problem in caught.value.problems]
    assert house.world.source.head == before
    (entry,) = await house.audit()
    assert (entry.what, entry.who, entry.site) == ("refuse", "Root", "acme")


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", "x\ny", ".git", "a..b", "x" * 300, "-"])
async def test_no_file_is_named_by_a_trick(house: House, name: str) -> None:
    with pytest.raises(InvalidError):
        await house.stores.write(house.stores.creation(Kind.SITE, name, site(name), Asked(ADA)))
    assert house.paths() == {"specs/acme.yaml"}


async def test_a_write_that_would_break_another_document_is_refused(house: House) -> None:
    await house.stores.write(
        house.stores.creation(Kind.SITE, "b", site("b", domains=["b.example"]), Asked(ADA))
    )
    with pytest.raises(InvalidError, match="cannot be written"):
        await house.stores.write(house.patch({"domains": ["b.example"]}))
    await house.stores.write(house.patch({"dependsOn": ["b"]}))
    with pytest.raises(InvalidError):
        await house.stores.write(house.stores.removal(Kind.SITE, "b", Asked(ADA)))


BAD = "---\napiVersion: otto/v1\nkind: Site\nmetadata: {name: bad}\nspec: {web: {count: no}}\n"


async def test_somebody_elses_bad_document_in_the_same_file_holds_nobody_up_unless_that_was_set(
    tmp_path: Path,
) -> None:
    files: dict[str, str | None] = {"specs/acme.yaml": ACME + BAD}
    house = await House(tmp_path).open(files)
    await house.stores.write(house.patch({"suspend": True}))
    assert house.text().endswith(BAD)
    strict = await House(tmp_path, rejectInvalid=True).open(files)
    with pytest.raises(InvalidError):
        await strict.stores.write(strict.patch({"suspend": True}))


async def test_a_bad_document_is_mended_by_a_write(tmp_path: Path) -> None:
    house = await House(tmp_path).open({"specs/acme.yaml": ACME + BAD})
    assert house.stores.get(Kind.SITE, "bad", ROOT).data["spec"] == {"web": {"count": "no"}}
    fixed = site("bad")
    await house.stores.write(house.stores.replacement(Kind.SITE, "bad", fixed, Asked(ROOT)))
    assert house.text().startswith(ACME)
    assert "bad" in house.controller.fleet.catalogue.sites


class TestLimitedCallers:
    async def test_they_see_and_touch_nothing_of_others(self, house: House) -> None:
        for work in (
            house.patch({"suspend": True}, WEB),
            house.stores.replacement(Kind.SITE, "acme", site(), Asked(WEB)),
            house.stores.removal(Kind.SITE, "acme", Asked(WEB)),
        ):
            with pytest.raises(NotThereError) as caught:
                await house.stores.write(work)
            assert str(caught.value) == "there is no site acme"
        with pytest.raises(NotThereError):
            house.stores.get(Kind.SITE, "acme", WEB)
        assert house.text() == ACME

    async def test_they_take_nothing_over_by_making_it_anew(self, house: House) -> None:
        with pytest.raises(TakenError, match="is taken"):
            await house.stores.write(house.stores.creation(Kind.SITE, "acme", site(), Asked(WEB)))

    async def test_they_move_nothing_out_of_their_labels(self, house: House) -> None:
        await house.stores.write(house.stores.creation(Kind.SITE, "mine", site("mine"), Asked(WEB)))
        gone = {"metadata": {"labels": {"team": "ops"}}}
        with pytest.raises(NotAllowedError):
            await house.stores.write(house.stores.patch(Kind.SITE, "mine", gone, Asked(WEB)))
        other = site("other")
        other["metadata"]["labels"] = {}
        with pytest.raises(NotAllowedError):
            await house.stores.write(house.stores.creation(Kind.SITE, "other", other, Asked(WEB)))

    async def test_they_read_nothing_of_others_in_a_refusal(self, house: House) -> None:
        await house.stores.write(house.patch({"domains": ["secret.example"]}))
        data = site("mine", domains=["secret.example"])
        with pytest.raises(InvalidError) as caught:
            await house.stores.write(house.stores.creation(Kind.SITE, "mine", data, Asked(WEB)))
        words = json.dumps([str(problem) for problem in caught.value.problems])
        assert "acme" not in words.replace("sites/acme", "")
        assert "not yours to see" in words


class Killed(BaseException):
    """The process ends here."""


class Gone(Exception):  # noqa: N818
    """What the API raises for a stale tag."""


def match(etag: str) -> Callable[[str | None], None]:
    def look(present: str | None) -> None:
        if present != etag:
            raise Gone

    return look


async def test_a_stale_writer_is_told_and_nothing_of_the_others_is_lost(house: House) -> None:
    seen = house.stores.get(Kind.SITE, "acme", ADA).etag
    await house.stores.write(house.patch({"web": {"count": 7}}))
    asked = Asked(ADA, precondition=match(seen))
    with pytest.raises(Gone):
        await house.stores.write(house.stores.patch(Kind.SITE, "acme", {"spec": {"web": None}}, asked))
    assert "count: 7" in house.text()
    assert [entry.what for entry in await house.audit()] == ["write", "refuse"]


async def test_the_etag_names_the_content_and_not_its_form(house: House) -> None:
    seen = house.stores.get(Kind.SITE, "acme", ADA).etag
    house.world.source.commit(
        {"specs/acme.yaml": None, "specs/b.yaml": "# x\n" + ACME.replace("  # two", "")}
    )
    await house.controller.watcher.look()
    assert house.stores.get(Kind.SITE, "acme", ADA).etag == seen


async def test_fifty_writers_to_one_document_lose_nothing(house: House) -> None:
    def add(number: int) -> Callable[[Data], Data]:
        return lambda old: {
            **old,
            "spec": {**old["spec"], "domains": [*old["spec"].get("domains", []), f"n{number}.example"]},
        }

    orders = [house.stores.edit(Kind.SITE, "acme", add(n), "add", Asked(ADA)) for n in range(50)]
    written = await asyncio.gather(*map(house.stores.write, orders))
    assert len({one.commit for one in written}) == 50
    data = house.stores.get(Kind.SITE, "acme", ADA).data
    assert sorted(data["spec"]["domains"]) == sorted(f"n{n}.example" for n in range(50))


async def test_fifty_writers_with_the_same_etag_have_one_winner(house: House) -> None:
    seen = house.stores.get(Kind.SITE, "acme", ADA).etag
    orders = [
        house.stores.patch(
            Kind.SITE, "acme", {"spec": {"web": {"count": n + 3}}}, Asked(ADA, precondition=match(seen))
        )
        for n in range(50)
    ]
    found = await asyncio.gather(*map(house.stores.write, orders), return_exceptions=True)
    assert sum(isinstance(one, Gone) for one in found) == 49


async def test_fifty_writers_to_many_documents_beside_pushes_lose_nothing(house: House) -> None:
    pushes = iter(range(5))

    def race() -> None:
        for number in [next(pushes, None)]:
            if number is not None:
                house.world.source.commit({f"other/{number}.txt": "x"})

    house.world.specbook.racing = race
    names = [f"s{n}" for n in range(50)]
    orders = [house.stores.creation(Kind.SITE, name, site(name), Asked(ADA)) for name in names]
    await asyncio.gather(*map(house.stores.write, orders))
    assert house.paths() == {"specs/acme.yaml", *(f"specs/sites/{name}.yaml" for name in names)}
    assert set(house.controller.fleet.catalogue.sites) == {"acme", *names}
    assert all(house.world.source.has(f"other/{n}.txt") for n in range(5))


async def test_a_race_over_the_same_document_is_decided_by_its_etag(house: House) -> None:
    seen = house.stores.get(Kind.SITE, "acme", ADA).etag

    def race() -> None:
        house.world.specbook.racing = lambda: None
        house.world.source.commit({"specs/acme.yaml": ACME.replace("count: 2", "count: 9")})

    house.world.specbook.racing = race
    asked = Asked(ADA, precondition=match(seen))
    with pytest.raises(Gone):
        await house.stores.write(house.stores.patch(Kind.SITE, "acme", {"spec": {"suspend": True}}, asked))
    assert "count: 9" in house.text()
    assert "suspend" not in house.text()


async def test_whoever_is_never_let_in_is_told_so(house: House) -> None:
    def race() -> None:
        house.world.source.commit({})

    house.world.specbook.racing = race
    with pytest.raises(TransientError, match="push faster"):
        await house.stores.write(house.patch({"suspend": True}))


async def test_a_refusing_remote_leaves_everything_as_it_was(house: House) -> None:
    house.world.specbook.failures.next("publish", TerminalError("main is protected: ask ops"))
    before = house.world.source.head
    with pytest.raises(TerminalError, match="protected"):
        await house.stores.write(house.patch({"suspend": True}))
    assert house.world.source.head == before
    assert [(e.what, e.reason) for e in await house.audit()] == [("refuse", "main is protected: ask ops")]


async def test_of_writes_that_were_made_together_only_those_are_refused_that_the_remote_will_not_have(
    house: House,
) -> None:
    gate = house.world.specbook.failures.hold("publish")
    first = asyncio.create_task(house.stores.write(house.patch({"web": {"count": 4}})))
    await gate.reached()
    orders = [house.stores.creation(Kind.SITE, f"s{n}", site(f"s{n}"), Asked(ADA)) for n in range(3)]
    orders.insert(1, house.patch({"suspend": True}))
    others = [asyncio.create_task(house.stores.write(order)) for order in orders]
    await asyncio.sleep(0)
    refusal = TerminalError("GL-HOOK: no site s1")
    house.world.specbook.judging = lambda files: refusal if "specs/sites/s1.yaml" in files else None
    house.world.specbook.failures.unhold("publish")
    gate.open()
    found = await asyncio.gather(first, *others, return_exceptions=True)
    assert [one for one in found if isinstance(one, Exception)] == [refusal]
    assert found[3] is refusal
    assert house.paths() == {"specs/acme.yaml", "specs/sites/s0.yaml", "specs/sites/s2.yaml"}
    assert "suspend: true" in house.text()
    assert [entry.what for entry in await house.audit()] == ["write", "write", "write", "refuse", "write"]
    assert house.world.specbook.failures.count("publish") == 6


async def test_what_waits_is_published_together_in_commits_of_their_own(house: House) -> None:
    orders = [house.stores.creation(Kind.SITE, f"s{n}", site(f"s{n}"), Asked(ADA)) for n in range(20)]
    written = await asyncio.gather(*map(house.stores.write, orders))
    assert len({one.commit for one in written}) == 20
    assert house.world.specbook.failures.count("publish") <= 2
    subjects = {house.world.specbook.commissions[one.commit].message.splitlines()[0] for one in written}
    assert subjects == {f"Site s{n}: new" for n in range(20)}
    assert all(entry.what == "write" for entry in await house.audit())


async def test_a_write_whose_turn_has_not_come_is_dropped_with_its_caller(house: House) -> None:
    gate = house.world.specbook.failures.hold("publish")
    first = asyncio.create_task(house.stores.write(house.patch({"web": {"count": 4}})))
    await gate.reached()
    second = asyncio.create_task(house.stores.write(house.patch({"suspend": True})))
    await asyncio.sleep(0)
    second.cancel()
    gate.open()
    await first
    await house.stores.write(house.patch({"web": {"count": 5}}))
    assert "suspend" not in house.text()
    assert len(await house.audit()) == 2


async def test_what_a_remote_is_away_for_is_told_to_all_who_wait_and_changes_nothing(house: House) -> None:
    before = house.world.source.head
    house.world.specbook.failures.always("publish", TransientError("away"))
    orders = [house.stores.creation(Kind.SITE, f"s{n}", site(f"s{n}"), Asked(ADA)) for n in range(3)]
    found = await asyncio.gather(*map(house.stores.write, orders), return_exceptions=True)
    assert [type(one) for one in found] == [TransientError] * 3
    assert house.world.source.head == before


async def test_a_push_that_outlives_the_controller_is_on_record_as_well(house: House) -> None:
    specbook, source = house.world.specbook, house.world.source
    before = source.head
    specbook.failures.next("after publish", Killed())  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await house.stores.write(house.patch({"suspend": True}))
    late, source.head = source.head, before
    await house.stores.recover()
    assert not await house.audit()
    source.head = late  # git had not come to its end
    await house.stores.write(house.patch({"web": {"count": 4}}))
    await house.world.clock.advance(300)
    await house.stores.write(house.patch({"web": {"count": 5}}))
    assert [entry.detail["commit"] for entry in await house.audit()][1] == late
    assert len(await house.audit()) == 3


async def test_nothing_counts_as_ready_that_is_not_in_force(house: House) -> None:
    order = house.patch({"web": {"count": 3}})
    written = await house.stores.write(order)
    ready = Condition(ConditionType.READY, Truth.TRUE, "Serving", "", house.world.clock.now(), "old")
    status = SiteStatus("acme", Phase.READY, house.world.clock.now(), digest="old", commit="").with_condition(
        ready
    )

    async def told(status: SiteStatus, written: Written) -> bool:
        await house.world.store.save_status(status)
        return await house.stores.ready(order, written, 1.0)

    assert not await told(status, written)
    assert not await told(status, replace(written, digest=""))
    # The same, sent again, is no commit; and it is not ready for that.
    again = await house.stores.write(order)
    assert (again.changed, again.digest) == (False, written.digest)
    assert not await told(status, again)
    now = replace(status, digest=written.digest, commit=written.commit)
    assert not await told(now, written)
    now = now.with_condition(replace(ready, observed_digest=written.digest))
    assert await told(now, written)
    # Somebody else's later write holds it, and is ready.
    later = await house.stores.write(house.patch({"suspend": False}))
    new = replace(now, digest="new", commit=later.commit)
    new = new.with_condition(replace(ready, observed_digest="new"))
    assert await told(new, written)
    assert not await told(replace(new, commit=""), written)


async def test_a_write_goes_to_its_end_when_the_caller_has_gone(house: House) -> None:
    gate = house.world.specbook.failures.hold("publish")
    task = asyncio.create_task(house.stores.write(house.patch({"suspend": True})))
    await gate.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open()
    await house.stores.write(house.patch({"web": {"count": 4}}))
    assert "suspend: true" in house.text()
    assert [entry.what for entry in await house.audit()] == ["write", "write"]


async def test_what_a_killed_controller_published_is_on_record_after_the_next_start(house: House) -> None:
    house.world.specbook.failures.next("after publish", Killed())  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await house.stores.write(house.patch({"suspend": True}))
    assert "suspend: true" in house.text()
    assert not await house.audit()
    await house.stores.recover()
    await house.stores.recover()
    (entry,) = await house.audit()
    assert (entry.what, entry.detail["commit"]) == ("write", house.world.source.head)


async def test_a_write_and_its_audit_entry_say_who_from_where_and_what(house: House) -> None:
    asked = Asked(ADA, "because", "req-1")
    await house.stores.write(house.stores.patch(Kind.SITE, "acme", {"spec": {"suspend": True}}, asked))
    (entry,) = await house.audit()
    assert (entry.who, entry.what, entry.site, entry.reason) == ("Ada", "write", "acme", "because")
    assert entry.summary == "patch site acme"
    assert dict(entry.detail) == {
        "token": "t1",
        "from": "192.0.2.1",
        "request": "req-1",
        "commit": house.world.source.head,
    }


class TestSignatures:
    DEMAND = FleetPolicy(signatures=Signatures(Demand.COMMITS, keys=(KnownKey(ssh="x"),)))

    async def test_without_a_key_of_its_own_otto_commits_nothing_and_says_who_and_why(
        self, house: House
    ) -> None:
        house.world.policies.policy = self.DEMAND
        before = house.world.source.head
        with pytest.raises(TerminalError, match="is not signed") as caught:
            await house.stores.write(house.patch({"suspend": True}))
        assert "source.signingKey" in caught.value.mend
        assert house.world.source.head == before

    async def test_with_a_key_that_the_policy_knows_it_does(self, house: House) -> None:
        house.world.policies.policy = self.DEMAND
        house.world.specbook.signer = "ada"
        await house.stores.write(house.patch({"suspend": True}))
        assert house.controller.fleet.catalogue.sites["acme"].suspend


async def test_a_dry_run_tells_the_plan_and_commits_nothing(house: House) -> None:
    before = house.world.source.head
    seen = await house.stores.dry_run(house.patch({"web": {"count": 4}}))
    assert seen.changed
    assert any("web 2 -> 4" in line for line in seen.lines)
    (preview,) = seen.previews
    assert preview.site == "acme"
    assert preview.plan is not None
    assert any("web-4" in action.address for action in preview.plan.actions)
    assert house.world.source.head == before
    assert not await house.audit()
    with pytest.raises(OttoError):
        await house.stores.dry_run(house.patch({"web": {"count": -1}}))
    assert not (await house.stores.dry_run(house.patch({"web": {"count": 2}}))).changed


@pytest.mark.parametrize("other", ["acme", "nothere"])
async def test_who_is_limited_learns_nothing_of_a_site_by_naming_it(house: House, other: str) -> None:
    depending = house.stores.creation(Kind.SITE, "shop", site("shop", dependsOn=[other]), Asked(WEB))
    zone = {
        "apiVersion": "otto/v1",
        "kind": "Domain",
        "metadata": {"name": "web.example", "labels": {"team": "web"}},
        "spec": {"provider": "rfc2136", "records": [{"name": "www", "site": other}]},
    }
    following = house.stores.creation(Kind.DOMAIN, "web.example", zone, Asked(WEB))
    for order, pointer, purpose in (
        (depending, "/spec/dependsOn/0", "to depend on"),
        (following, "/spec/records/0/site", "to follow"),
    ):
        for attempt in (house.stores.dry_run, house.stores.write):
            with pytest.raises(InvalidError) as caught:
                await attempt(order)
            told = [(item.file, item.line, item.pointer, item.message) for item in caught.value.problems]
            assert told == [("", 0, pointer, f'there is no site "{other}" {purpose}')]


async def test_what_others_made_a_site_depend_on_may_stay(house: House) -> None:
    await house.stores.write(
        house.stores.creation(Kind.SITE, "shop", site("shop", dependsOn=["acme"]), Asked(ROOT))
    )
    assert (await house.stores.write(house.patch({"web": {"count": 3}}, WEB, "shop"))).changed
    own = house.stores.creation(Kind.SITE, "news", site("news", dependsOn=["shop"]), Asked(WEB))
    assert (await house.stores.write(own)).changed
