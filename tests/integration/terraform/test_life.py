"""The life of a site's infrastructure, with the real Terraform."""

import json
import stat
from pathlib import Path

import pytest

from otto.adapters.terraform import TerraformInfrastructure
from otto.adapters.terraform.changes import changes
from otto.model.errors import TransientError
from otto.model.infrastructure import InfrastructurePlan
from otto.model.progress import silent
from otto.model.spec import Provider

from .conftest import Heard
from .local_provider import LEAK, SECRET, LocalBackend, make_inputs


async def build(infrastructure: TerraformInfrastructure, web: int = 1, site: str = "blog") -> None:
    plan = await infrastructure.plan(make_inputs(site, web), silent)
    await infrastructure.apply(plan, silent)


def verbs(plan: InfrastructurePlan) -> dict[str, tuple[str, ...]]:
    return {change.host: change.verbs for change in plan.changes}


async def test_plan_apply_then_nothing_to_do(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, heard: Heard
) -> None:
    assert await infrastructure.state("blog") is None
    plan = await infrastructure.plan(make_inputs(web=2), silent)
    assert verbs(plan) == dict.fromkeys(("blog-balancer-1", "blog-web-1", "blog-web-2"), ("create",))

    state = await infrastructure.apply(plan, heard)

    assert [host.name for host in state.hosts] == ["blog-balancer-1", "blog-web-1", "blog-web-2"]
    assert state.hosts[1].ssh_user == "otto"
    assert [endpoint.url for endpoint in state.endpoints] == ["http://127.0.0.1/"]
    assert state.controllers == ("10.0.0.254",)
    assert await infrastructure.state("blog") == state
    assert len(await infrastructure.inventory("blog")) == 3
    assert not await infrastructure.plan(make_inputs(web=2), silent)
    assert not await infrastructure.refresh(make_inputs(web=2), silent)


async def test_progress_counts_operations_and_names_hosts(
    infrastructure: TerraformInfrastructure, heard: Heard
) -> None:
    plan = await infrastructure.plan(make_inputs(web=2), heard)
    await infrastructure.apply(plan, heard)
    assert "preparing Terraform" in heard.messages
    assert "creating blog-web-2" in heard.messages
    last = heard.progress[-1]
    assert (last.done, last.total) == (3, 3)
    assert {progress.host for progress in heard.progress} >= {"blog-web-1", "blog-web-2", "blog-balancer-1"}


async def test_changes_say_what_and_why(infrastructure: TerraformInfrastructure) -> None:
    await build(infrastructure, web=2)
    resized = await infrastructure.plan(make_inputs(web=1, size="medium"), silent)
    assert verbs(resized) == {"blog-web-1": ("update",), "blog-web-2": ("delete",)}
    by_host = {change.host: change for change in resized.changes}
    assert by_host["blog-web-1"].changed == ("input", "output")
    assert by_host["blog-web-2"].reason == "delete_because_each_key"
    rebuilt = await infrastructure.plan(make_inputs(web=2, image="image-2"), silent)
    replaced = rebuilt.changes[0]
    assert replaced.verbs == ("delete", "create")
    assert replaced.replace_for == ("triggers_replace",)
    assert rebuilt.digest == (await infrastructure.plan(make_inputs(web=2, image="image-2"), silent)).digest


async def test_a_plan_overtaken_by_another_is_stale(infrastructure: TerraformInfrastructure) -> None:
    first = await infrastructure.plan(make_inputs(web=1), silent)
    second = await infrastructure.plan(make_inputs(web=2), silent)
    with pytest.raises(TransientError, match="stale"):
        await infrastructure.apply(first, silent)
    assert len((await infrastructure.apply(second, silent)).hosts) == 3
    with pytest.raises(TransientError, match="stale"):
        await infrastructure.apply(second, silent)


async def test_a_plan_overtaken_by_the_state_is_stale(
    infrastructure: TerraformInfrastructure, folder: Path
) -> None:
    await build(infrastructure)
    plan = await infrastructure.plan(make_inputs(web=2), silent)
    state = json.loads((folder / "terraform.tfstate").read_text())
    state["serial"] += 1
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    with pytest.raises(TransientError, match="state has changed"):
        await infrastructure.apply(plan, silent)


async def test_a_failing_resource_leaves_the_rest_in_the_state(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    backend.settings["fail"] = "blog-web-2"
    plan = await infrastructure.plan(make_inputs(web=2), silent)
    with pytest.raises(TransientError, match="local-exec provisioner error") as failed:
        await infrastructure.apply(plan, silent)
    assert 'terraform_data.host["blog-web-2"]' in failed.value.message
    del backend.settings["fail"]
    again = await infrastructure.plan(make_inputs(web=2), silent)
    assert verbs(again) == {"blog-web-2": ("delete", "create")}
    assert again.changes[0].reason == "replace_because_tainted"
    assert len((await infrastructure.apply(again, silent)).hosts) == 3


async def test_destroy_takes_everything_and_can_be_repeated(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    await build(infrastructure, web=2)
    (backend.world / "blog-web-9").write_text("ours, in no state")
    await infrastructure.destroy("blog", Provider.LAB, silent)
    assert not list(backend.world.iterdir())
    assert not list(folder.parent.iterdir())
    assert await infrastructure.state("blog") is None
    await infrastructure.destroy("blog", Provider.LAB, silent)


async def test_destroy_finishes_what_was_cut_off(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    await build(infrastructure)
    grave = folder.rename(folder.with_name(".removed-blog-0123456789abcdef"))
    await infrastructure.destroy("blog", Provider.LAB, silent)
    assert not grave.exists()
    assert not list(backend.world.iterdir())


async def test_destroy_works_without_the_variables_of_the_last_plan(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path
) -> None:
    await build(infrastructure)
    (folder / "terraform.tfvars.json").write_text("{")
    await infrastructure.destroy("blog", Provider.LAB, silent)
    assert not list(backend.world.iterdir())


async def test_leftovers_that_stay_are_no_success(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    (backend.world / "blog-web-9").write_text("")
    backend.sticky = True
    with pytest.raises(TransientError, match="blog-web-9"):
        await infrastructure.destroy("blog", Provider.LAB, silent)


async def test_everything_on_disk_is_private(infrastructure: TerraformInfrastructure, folder: Path) -> None:
    await build(infrastructure)
    await infrastructure.plan(make_inputs(web=2), silent)
    found = [folder, *folder.rglob("*")]
    modes = {
        path.relative_to(folder): stat.S_IMODE(path.lstat().st_mode)
        for path in found
        if not path.is_symlink()
    }
    open_to_others = {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}
    assert not open_to_others
    assert {path.name for path in found} >= {
        "main.tf.json",
        "terraform.tfvars.json",
        "terraform.tfstate",
        "lock",
    }
    assert not (folder / "children.json").exists()
    assert not list(folder.glob("*.shown"))


async def test_no_secret_leaves_the_adapter(
    infrastructure: TerraformInfrastructure, backend: LocalBackend, folder: Path, heard: Heard
) -> None:
    backend.settings["fail"] = "blog-web-1"
    plan = await infrastructure.plan(make_inputs(), heard)
    shown = await infrastructure.show(plan)
    with pytest.raises(TransientError) as failed:
        await infrastructure.apply(plan, heard)
    logs = [path.read_text() for path in (folder / "logs").iterdir()]
    told = [repr(plan), json.dumps(shown), str(failed.value), failed.value.detail, *heard.messages, *logs]
    for secret in (SECRET, LEAK):
        assert not [text for text in told if secret in text]
    assert "[redacted]" in failed.value.detail
    assert "blog-web-1" in json.dumps(shown)


async def test_a_first_plan_is_what_it_is_when_it_is_shown(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    plan = await infrastructure.plan(make_inputs(web=2), silent)
    shown = await infrastructure.show(plan)
    assert plan.changes == changes(shown, backend.module.host_types) != ()
    await infrastructure.apply(plan, silent)
    assert (await infrastructure.plan(make_inputs(web=2), silent)).changes == ()


async def test_only_the_newest_logs_are_kept(
    backend: LocalBackend, infrastructure: TerraformInfrastructure, folder: Path
) -> None:
    for _ in range(3):
        await build(infrastructure)
    logs = sorted((folder / "logs").iterdir())
    assert 1 < len(logs) <= 20
    assert json.loads(logs[-1].read_text().splitlines()[0])["type"] == "version"


async def test_the_module_digest_names_content(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    before = infrastructure.module(Provider.LAB)
    (backend.source / "README.md").write_text("prose")
    assert infrastructure.module(Provider.LAB) == before
    (backend.source / "more.tf").write_text("# more\n")
    assert infrastructure.module(Provider.LAB) != before


async def test_a_changed_module_is_used_at_once(
    infrastructure: TerraformInfrastructure, backend: LocalBackend
) -> None:
    await build(infrastructure)
    (backend.source / "more.tf").write_text('resource "terraform_data" "more" {}\n')
    plan = await infrastructure.plan(make_inputs(), silent)
    assert [change.address for change in plan.changes] == ["module.site.terraform_data.more"]
