"""What is alive under a site's labels and missing from its state."""

from pathlib import Path

import pytest

from otto.adapters.terraform import TerraformInfrastructure
from otto.model.errors import TerminalError
from otto.model.progress import silent

from .local_provider import LocalBackend, make_inputs


async def test_ours_are_imported(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    inputs = make_inputs(web=2, image="")
    await infrastructure.apply(await infrastructure.plan(inputs, silent), silent)
    (folder / "terraform.tfstate").unlink()
    assert len(await infrastructure.import_hosts(inputs)) == 3

    plan = await infrastructure.plan(inputs, silent)

    assert [change.host for change in plan.changes] == ["blog-balancer-1", "blog-web-1", "blog-web-2"]
    assert all(change.importing and change.verbs == ("update",) for change in plan.changes)
    state = await infrastructure.apply(plan, silent)
    assert len(state.hosts) == 3
    assert not await infrastructure.import_hosts(inputs)
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


async def test_ours_that_nobody_wants_are_planned_away(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    await infrastructure.apply(await infrastructure.plan(make_inputs(), silent), silent)
    stray = backend.world / "blog-web-7"
    stray.touch()
    plan = await infrastructure.plan(make_inputs(), silent)
    (removal,) = plan.changes
    assert (removal.verbs, removal.host, removal.reason) == (("delete",), "blog-web-7", "leftover")
    assert stray.exists()
    await infrastructure.apply(plan, silent)
    assert not stray.exists()
    assert not await infrastructure.plan(make_inputs(), silent)


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
