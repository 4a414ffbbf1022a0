"""What is alive under a site's labels and missing from its state."""

from dataclasses import replace
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import TerraformInfrastructure, lock
from otto.adapters.terraform.folder import Folder
from otto.model.errors import TerminalError, WaitingError
from otto.model.host import HostState, LiveHost
from otto.model.progress import silent

from .local_provider import LocalBackend, make_inputs


async def test_ours_are_imported(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    inputs = make_inputs(web=2, image="")
    await infrastructure.apply(await infrastructure.plan(inputs, silent), silent)
    (folder / "terraform.tfstate").unlink()
    assert {item.host: item.id for item in await infrastructure.adoptable(inputs)} == {
        name: name for name in ("blog-balancer-1", "blog-web-1", "blog-web-2")
    }

    plan = await infrastructure.plan(inputs, silent)

    assert [change.host for change in plan.changes] == ["blog-balancer-1", "blog-web-1", "blog-web-2"]
    assert all(change.importing and change.verbs == ("update",) for change in plan.changes)
    state = await infrastructure.apply(plan, silent)
    assert len(state.hosts) == 3
    assert not await infrastructure.adoptable(inputs)
    assert not (folder / "imports.tf.json").exists()


async def test_what_took_the_place_of_something_gone_is_imported_anew(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    inputs = make_inputs(image="")
    before = await infrastructure.apply(await infrastructure.plan(inputs, silent), silent)
    (backend.world / "blog-web-1").write_text("another identity")

    plan = await infrastructure.plan(inputs, silent)

    (change,) = plan.changes
    assert (change.host, change.importing, change.verbs) == ("blog-web-1", True, ("update",)), plan.changes
    state = await infrastructure.apply(plan, silent)
    assert state.named("blog-web-1") != before.named("blog-web-1")
    assert state.named("blog-balancer-1") == before.named("blog-balancer-1")


async def test_ours_that_nobody_wants_are_left_alone(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    stray = backend.world / "blog-web-7"
    stray.touch()
    plan = await infrastructure.plan(make_inputs(), silent)
    assert "blog-web-7" not in {change.host for change in plan.changes}
    await infrastructure.apply(plan, silent)
    assert not await infrastructure.plan(make_inputs(), silent)
    assert not await infrastructure.adoptable(make_inputs())
    assert stray.exists()


def live(name: str, host_id: str) -> LiveHost:
    return LiveHost(host_id, name, "blog", "web", HostState.RUNNING)


async def test_an_orphan_is_removed_by_itself(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    stray = backend.world / "blog-web-7"
    stray.touch()
    await infrastructure.remove(live("blog-web-7", "blog-web-7"))
    assert not stray.exists()
    await infrastructure.remove(live("blog-web-7", "blog-web-7"))
    assert not folder.exists()


async def test_what_the_state_holds_is_not_removed(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    state = await infrastructure.apply(await infrastructure.plan(make_inputs(), silent), silent)
    held = state.named("blog-web-1")
    assert held is not None
    with pytest.raises(TerminalError, match="no orphan: the state of site blog holds it"):
        await infrastructure.remove(live(held.name, held.id))
    assert (backend.world / "blog-web-1").exists()


async def test_nothing_is_removed_while_somebody_works_on_the_site(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    stray = backend.world / "blog-web-7"
    stray.touch()
    async with lock.held(Folder(folder), "apply", SystemClock(), 0):
        with pytest.raises(WaitingError, match="apply"):
            await infrastructure.remove(live("blog-web-7", "blog-web-7"))
    assert stray.exists()


async def test_hosts_are_made_anew_by_request(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    inputs = make_inputs(web=2)
    before = await infrastructure.apply(await infrastructure.plan(inputs, silent), silent)
    anew = replace(inputs, replace=("blog-web-1", "blog-web-9"))

    plan = await infrastructure.plan(anew, silent)

    (change,) = plan.changes
    assert (change.host, change.verbs) == ("blog-web-1", ("delete", "create"))
    assert (change.reason, change.replace_for, change.drifted) == ("replace_by_request", (), False)
    after = await infrastructure.apply(plan, silent)
    differing = {host.name for host in after.hosts if host != before.named(host.name)}
    assert differing == {"blog-web-1"}
    assert not await infrastructure.plan(inputs, silent)


async def test_a_foreign_one_of_the_same_name_is_refused(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    (backend.world / "blog-web-1").write_text("foreign")
    with pytest.raises(TerminalError, match="blog-web-1"):
        await infrastructure.plan(make_inputs(), silent)
    assert (backend.world / "blog-web-1").exists()


async def test_a_foreign_one_of_a_name_nobody_needs_is_left_alone(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    (backend.world / "blog-web-7").write_text("foreign")
    plan = await infrastructure.plan(make_inputs(), silent)
    assert "blog-web-7" not in {change.host for change in plan.changes}
