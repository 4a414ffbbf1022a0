"""Golden images made for real, by Packer, in the lab."""

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.integration.packer.conftest import POOL, Yard, edit, quick

from otto.adapters.clock import SystemClock
from otto.adapters.packer import PackerBuilder
from otto.model.errors import TerminalError, TransientError
from otto.model.image import Build, ImageName
from otto.model.progress import Progress, silent
from otto.model.saying import Speaker
from otto.model.spec import Provider
from otto.reconcile.foundry import Foundry, Result
from otto.testing import MemoryImageIndex, MemoryLedger

ADA = Speaker("ada", SystemClock().now(), "root")
pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("packer")]


def one(builder: PackerBuilder, name: str = "nginx") -> Build:
    (build,) = builder.builds(Provider.LAB, [name])
    return build


async def test_images_are_built_at_once_tried_named_and_put_into_the_index(yard: Yard) -> None:
    index = MemoryImageIndex()
    foundry = Foundry(yard.builder(), index, MemoryLedger(), SystemClock())
    builds = foundry.builder.builds(Provider.LAB, ["nginx", "haproxy"])
    made = await foundry.make(builds, ADA, lambda _: None)
    assert [item.error for item in made] == ["", ""]
    assert not yard.left()
    for item in made:
        image = await index.find(ImageName(item.build.name, "stable"))
        assert image is not None
        artifact = image.artifacts["lab"]
        assert artifact.smoke.passed
        assert await foundry.builder.exists(Provider.LAB, artifact.id)
        assert yard.workshop.find(yard.workshop.reference(image.name, image.digest)) == artifact.id
        assert image.name in {package.name for package in image.packages}
        assert "/etc/ansible/facts.d/otto.fact" in image.files
        assert f"/etc/systemd/system/{image.name}.service.d/20-otto.conf" in image.files
        assert "/etc/otto/configuration.json" not in image.files
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(image.sbom) is None
        components = {component["name"]: component for component in json.loads(image.sbom)["components"]}
        assert re.fullmatch(rf"pkg:deb/debian/{image.name}@\S+\?arch=\S+", components[image.name]["purl"])
    again = await foundry.make(builds, ADA, lambda _: None)
    assert [item.result for item in again] == [Result.CACHED, Result.CACHED]


@pytest.mark.timeout(600)  # packages come from their archives, however fast those are today
async def test_the_controller_and_the_box_around_it_are_built_one_upon_the_other(yard: Yard) -> None:
    index = MemoryImageIndex()
    foundry = Foundry(yard.builder(), index, MemoryLedger(), SystemClock())
    made = await foundry.make(foundry.builder.builds(Provider.LAB, ["clowd"]), ADA, lambda _: None)
    assert [(item.build.name, item.error) for item in made] == [("otto", ""), ("clowd", "")]
    otto, clowd = (await index.images("otto"))[0], (await index.images("clowd"))[0]
    assert clowd.parent == otto.digest
    packages = {package.name: package for package in otto.packages}
    assert packages["ansible-core"].source == "pypi"
    assert "git" in packages
    added = {package.name for package in clowd.packages} - set(packages)
    assert {"podman", "prometheus", "mmdebstrap"} <= added
    for image in (otto, clowd):
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(image.sbom) is None
    purls = {component["purl"] for component in json.loads(otto.sbom)["components"]}
    assert f"pkg:pypi/ansible-core@{packages['ansible-core'].version}" in purls
    assert not [path for path in clowd.files if path.startswith("/var/lib/otto/")]
    # Booted, it is all it says: a lab with containers of its own, and Prometheus that watches it.
    checks = dict(check.split(": ", 1) for check in clowd.artifacts["lab"].smoke.checks)
    assert checks["its lab brings the example site up"] == "Ready"
    assert checks["GET / of the example site"] == "status 200"
    assert checks["prometheus knows the example site"] == "status 200"
    assert not yard.left()


async def test_homes_share_what_they_build_and_none_breaks_anothers(yard: Yard, neighbour: Yard) -> None:
    builder, other = yard.builder(), neighbour.builder()
    first = (await builder.build(one(builder), silent)).artifacts["lab"].id
    said: list[str] = []
    build = one(other)
    second = await other.build(build, lambda progress: said.append(progress.message))
    assert second.artifacts["lab"].id == first
    assert "running the roles" not in said
    assert "asking it whether it works" in said
    # Removed from one, it is there still where the other has it.
    await builder.remove(Provider.LAB, first)
    assert yard.workshop.find(yard.workshop.reference("nginx", build.digest)) == ""
    assert await other.exists(Provider.LAB, first)
    assert (await builder.build(one(builder), silent)).artifacts["lab"].id == first
    # Built anew in one, it is the old one still in the other.
    anew = (await other.build(replace(build, anew=True), silent)).artifacts["lab"].id
    assert anew != first
    assert yard.workshop.built("nginx", build.digest) == first
    assert neighbour.workshop.built("nginx", build.digest) == anew
    await other.remove(Provider.LAB, anew)
    assert not await other.exists(Provider.LAB, anew)
    assert not yard.left()
    assert not neighbour.left()


async def test_a_template_that_packer_refuses_is_told_with_its_words(yard: Yard, templates: Path) -> None:
    edit(templates / "nginx" / "nginx.pkr.hcl", "playbook_file", "playbook_fill")
    builder = yard.builder(templates)
    with pytest.raises(TerminalError, match="packer refuses the template") as refused:
        await builder.build(one(builder), silent)
    assert "playbook_fill" in refused.value.detail
    assert not yard.left()


async def test_a_build_that_fails_says_why_and_leaves_nothing(yard: Yard, templates: Path) -> None:
    quick(templates)
    (templates / "scripts" / "clean").write_text("echo 'no such luck' >&2\nexit 7\n")
    builder = yard.builder(templates)
    with pytest.raises(TransientError, match="packer failed") as failed:
        await builder.build(one(builder), silent)
    assert "no such luck" in failed.value.detail
    assert not yard.left()


async def test_a_role_that_fails_is_quoted(yard: Yard, templates: Path) -> None:
    edit(templates / "nginx" / "variables.json", '"golden", "otto_roles"', '"Not A Name", "otto_roles"')
    builder = yard.builder(templates)
    with pytest.raises(TransientError, match="names are made of lower-case letters"):
        await builder.build(one(builder), silent)
    assert not yard.left()


async def test_an_image_that_holds_what_is_one_machines_own_is_refused(yard: Yard, templates: Path) -> None:
    quick(templates)
    edit(templates / "scripts" / "clean", "rm -f /etc/ssh/ssh_host_*", "rm -f")
    builder = yard.builder(templates)
    with pytest.raises(TerminalError, match=r"/etc/ssh/ssh_host_ed25519_key belongs to one machine alone"):
        await builder.build(one(builder), silent)
    assert not yard.left()


async def test_an_image_that_fails_its_smoke_test_gets_no_name(yard: Yard, templates: Path) -> None:
    quick(templates)
    builder = yard.builder(templates)
    build = one(builder)
    with pytest.raises(TerminalError, match=r"failed its smoke test: .*nginx runs and is enabled") as failed:
        await builder.build(build, silent)
    assert "FAILED the fact answers" in failed.value.detail
    assert "sshd answers" in failed.value.detail
    assert not yard.left()
    assert not yard.workshop.built("nginx", build.digest)


@pytest.mark.parametrize(
    "moment", ["waiting for it to boot", "keeping what came of it", "booting a host of it"]
)
async def test_a_cancelled_build_leaves_nothing(yard: Yard, templates: Path, moment: str) -> None:
    quick(templates)
    builder = yard.builder(templates)
    reached = asyncio.Event()

    def hear(progress: Progress) -> None:
        if progress.message == moment:
            reached.set()

    task = asyncio.create_task(builder.build(one(builder), hear))
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    waiting.cancel()
    assert reached.is_set(), task
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not yard.left()


def kill_a_build(yard: Yard, templates: Path, *more: str, moment: str = "waiting for it to boot") -> None:
    program = str(Path(__file__).with_name("killed.py"))
    command = [sys.executable, program, str(yard.home), str(templates), POOL, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        assert any(moment in line for line in dying.stdout)
        dying.kill()


@pytest.mark.parametrize("moment", ["waiting for it to boot", "reading what is in it"])
async def test_what_a_killed_build_leaves_goes_though_nobody_builds_again(
    yard: Yard, templates: Path, moment: str
) -> None:
    quick(templates)
    edit(templates / "scripts" / "prepare", "systemctl restart systemd-journald", "sleep 2")
    await asyncio.to_thread(kill_a_build, yard, templates, "watched", moment=moment)
    assert yard.left(), "it was killed too late"
    async with asyncio.timeout(60):
        while left := yard.left():
            await asyncio.sleep(0.2)
    assert not left
    with yard.workshop.locked("nginx"):
        pass


async def test_what_a_killed_build_left_goes_when_its_lab_is_cleaned(
    tmp_path_factory: pytest.TempPathFactory, templates: Path
) -> None:
    yard = Yard(tmp_path_factory.mktemp("home"))
    quick(templates)
    edit(templates / "scripts" / "prepare", "systemctl restart systemd-journald", "sleep 120")
    await asyncio.to_thread(kill_a_build, yard, templates)
    yard.lab.clean()
    assert not [item for item in yard.left() if item.startswith(("container", "network"))]
    yard.lab.clean()


async def test_what_a_killed_build_left_goes_when_the_next_begins(yard: Yard, templates: Path) -> None:
    quick(templates)
    edit(templates / "scripts" / "prepare", "systemctl restart systemd-journald", "sleep 120")
    await asyncio.to_thread(kill_a_build, yard, templates)
    assert yard.left(), "it was killed too late"
    builder = yard.builder()
    await builder.build(one(builder), silent)
    assert not yard.left()
