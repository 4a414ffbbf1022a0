"""Machines that people declare: configured and watched with their site, never made, replaced or destroyed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otto.adapters.specs import YamlSpecs
from otto.decide.hosts import is_declared
from otto.model.host import HostState
from otto.model.observed import Seen, Unseen
from otto.model.plan import ActionKind
from otto.model.run import Run
from otto.model.spec import Role
from otto.model.status import ConditionType, Phase, Truth
from otto.reconcile.controller import Controller
from otto.reconcile.declaredviews import declared_view, unplaced_views
from otto.testing import World

from .stage import Stage, due, names, told

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIgVGQ7OWaHr3vAZXoRWLSoMHdWhQKjN4f5yyEMiSAcg"
SITE = """\
apiVersion: otto/v1
kind: Site
metadata: {name: one}
spec:
  web: {count: 2}
  content: {path: sites/one}
  checks: [{path: /, contains: It works}]
  rollout: {strategy: all, soak: 0s}
"""


def host(name: str, address: str, *, site: str = "", role: str = "") -> str:
    more = (f", site: {site}" if site else "") + (f", role: {role}" if role else "")
    return (
        f"apiVersion: otto/v1\nkind: Host\nmetadata: {{name: {name}}}\n"
        f"spec: {{address: {address}, hostKey: {KEY}{more}}}\n"
    )


def _replaces(run: Run) -> bool:
    kinds = (ActionKind.REPAIR.value, ActionKind.REPLACE.value)
    return any(kind in str(step.detail) + step.summary for step in run.steps for kind in kinds)


@pytest.fixture
async def controller(stage: Stage, tmp_path: Path) -> AsyncIterator[Controller]:
    stage.world = World(stage.world.clock, YamlSpecs())
    stage.world.source.commit({"specs/one.yaml": SITE, "sites/one/index.html": "<h1>It works</h1>"})
    async with stage.controller().running() as made:
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        yield made


async def declare(stage: Stage, name: str, role: Role = Role.WEB, *, site: str = "one") -> None:
    machine = stage.world.hosts.place(name, role)
    text = host(name, machine.address, site=site, role=role.value if site else "")
    stage.world.source.commit({f"specs/hosts/{name}.yaml": text})
    await told(stage)
    await stage.calm(5)


async def test_a_declared_machine_is_configured_gets_content_and_joins_the_balancers(
    stage: Stage, controller: Controller
) -> None:
    before = stage.world.infrastructure.failures.calls.count("apply")
    await declare(stage, "old1")
    status = await stage.status("one")
    assert status.phase is Phase.READY
    assert {item.name for item in status.hosts if is_declared(item)} == {"old1"}
    machine = stage.world.hosts["old1"]
    assert machine.services["nginx"] == "active"
    assert machine.revision == stage.world.hosts["one-web-1"].revision
    balancer = stage.world.hosts["one-balancer-1"]
    assert {backend.name for backend in balancer.backends} == {"one-web-1", "one-web-2", "old1"}
    assert stage.world.infrastructure.failures.calls.count("apply") == before
    assert "old1" not in await names(stage)


async def test_a_declared_balancer_is_an_endpoint(stage: Stage, controller: Controller) -> None:
    await declare(stage, "front", Role.BALANCER)
    status = await stage.status("one")
    assert status.phase is Phase.READY
    assert stage.world.hosts["front"].address in {endpoint.address for endpoint in status.endpoints}


async def test_one_that_is_silent_degrades_its_site_and_is_never_replaced(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "old1")
    stage.world.hosts.cut("old1")
    for _ in range(20):
        await stage.calm(5)
    status = await stage.status("one")
    assert status.conditions[ConditionType.READY].status is Truth.FALSE
    assert (await names(stage)) == {"one-web-1", "one-web-2", "one-balancer-1"}
    assert stage.world.hosts["old1"].cut
    replaced = [run for run in await stage.world.store.runs("one", limit=100) if _replaces(run)]
    assert replaced == []
    stage.world.hosts.join("old1")
    for _ in range(70):
        await stage.calm(5)
    assert (await stage.status("one")).phase is Phase.READY


async def test_what_drifts_on_it_is_mended(stage: Stage, controller: Controller) -> None:
    await declare(stage, "old1")
    stage.world.hosts["old1"].services["nginx"] = "inactive"
    for _ in range(4):
        await stage.calm(5)
    assert stage.world.hosts["old1"].services["nginx"] == "active"
    assert (await stage.status("one")).phase is Phase.READY


async def test_one_that_is_declared_no_more_leaves_the_balancers_and_stays_as_it_is(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "old1")
    stage.world.source.commit({"specs/hosts/old1.yaml": None})
    await told(stage)
    await stage.calm(5)
    status = await stage.status("one")
    assert status.phase is Phase.READY
    assert "old1" not in {item.name for item in status.hosts}
    assert "old1" not in {backend.name for backend in stage.world.hosts["one-balancer-1"].backends}
    assert stage.world.hosts["old1"].services["nginx"] == "active"


async def test_a_site_that_is_destroyed_leaves_it_standing(stage: Stage, controller: Controller) -> None:
    await declare(stage, "old1")
    await stage.world.store.set_intent("one", "destroy", on=True)
    await due(stage, "one")
    await stage.calm(5)
    assert (await stage.status("one")).phase is Phase.DESTROYED
    assert {machine.name for machine in stage.world.hosts} == {"old1"}


async def test_a_site_of_declared_machines_alone_needs_no_made_server(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "old1")
    stage.world.source.commit({"specs/one.yaml": SITE.replace("count: 2", "count: 0")})
    await told(stage)
    await stage.calm(10)
    assert {machine.name for machine in stage.world.hosts} == {"old1", "one-balancer-1"}
    assert (await stage.status("one")).phase is Phase.READY


async def test_a_bad_declaration_leaves_the_last_good_one_in_force(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "old1")
    stage.world.source.commit({"specs/hosts/old1.yaml": host("old1", "127.0.0.1", site="one")})
    await told(stage)
    await stage.calm(5)
    assert controller.fleet.declared("one")[0].address == stage.world.hosts["old1"].address
    assert "old1" in {item.name for item in (await stage.status("one")).hosts}


async def test_what_is_declared_is_remembered_while_the_repository_is_away(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "old1")
    again = stage.controller()
    await again.fleet.load()
    known = again.fleet.in_force("one")
    assert known is not None
    assert [spec.name for spec in known.declared] == ["old1"]


async def test_one_without_a_site_is_watched_and_nothing_is_done_to_it(
    stage: Stage, controller: Controller
) -> None:
    await declare(stage, "alone", site="")
    await stage.calm(60)
    (view,) = await unplaced_views(controller, {})
    assert (view.site, view.host.name, view.declared) == ("", "alone", True)
    assert view.live is not None
    assert view.live.state is HostState.RUNNING
    assert isinstance(view.facts, Seen)
    assert stage.world.hosts["alone"].services == {}
    stage.world.hosts.cut("alone")
    await stage.calm(60)
    view = await declared_view(controller, "alone")
    assert view.live is not None
    assert view.live.state is HostState.UNKNOWN
    assert isinstance(view.facts, Unseen)
    assert await unplaced_views(controller, {"team": "web"}) == ()
