"""Debian's Packer and newer ones: these alone are given the block of plugins, and it names all they need."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.packer import RECIPES, PackerBuilder, PackerOptions
from otto.adapters.packer.jobs import SOURCES
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop
from otto.model.spec import Provider

from .packers import StandIn

PLUGINS = "plugins.pkr.hcl"
# Within Packer itself, whatever its version.
BUILT_IN = {"shell", "file"}
PLUGIN_OF = {"amazon-ebs": "amazon"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"))
    return found


def plain(text: str) -> str:
    return text.strip('"')


def templates() -> Iterator[dict[str, Any]]:
    for folder in ("common", *RECIPES):
        for path in sorted(resources.path("images", folder).glob("*.pkr.hcl")):
            yield read(path)


def required() -> dict[str, dict[str, str]]:
    (packer,) = read(resources.path("images", "plugins", PLUGINS))["packer"]
    (block,) = packer["required_plugins"]
    return {name: plugin for name, plugin in block.items() if isinstance(plugin, dict)}


def builder(packer: StandIn, folder: Path) -> PackerBuilder:
    options = PackerOptions(
        folder=folder / "images",
        templates=resources.path("images"),
        ansible=resources.path("infra", "ansible"),
        key=folder / "no-key",
        binary=str(packer.path),
        terraform="true",
        checkout=resources.root(),
    )
    return PackerBuilder(options, {}, Workshop(Lab(folder, "0" * 8), ""), SystemClock())


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("version", ["1.7.0", "1.11.2", "1.14.3", "2.0.0"])
async def test_a_newer_packer_gets_the_plugins_and_fetches_them_first(
    tmp_path: Path, name: str, version: str
) -> None:
    packer = StandIn(tmp_path, version)
    await builder(packer, tmp_path).validate(Provider.AWS, name)
    verbs = [call["argv"][0] for call in packer.calls]
    assert verbs == ["version", "init", "validate"]
    for call in packer.calls[1:]:
        assert call["files"] == sorted([PLUGINS, f"{name}.pkr.hcl", *COMMON])
        # Where a user's plugins are is the user's to say.
        assert "PACKER_CONFIG_DIR" not in call["environ"]
    assert packer.calls[2]["argv"][1] == f"-only={SOURCES[Provider.AWS]}"


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("version", ["1.6.6", "1.5.0"])
async def test_debians_packer_gets_no_block_that_it_rejects(tmp_path: Path, name: str, version: str) -> None:
    packer = StandIn(tmp_path, version)
    await builder(packer, tmp_path).validate(Provider.LAB, name)
    assert [call["argv"][0] for call in packer.calls] == ["version", "validate"]
    assert packer.calls[1]["files"] == sorted([f"{name}.pkr.hcl", *COMMON])


COMMON = sorted(path.name for path in resources.path("images", "common").glob("*.pkr.hcl"))


def test_every_plugin_says_where_it_comes_from_and_which_versions_do() -> None:
    assert required()
    for name, plugin in required().items():
        assert plain(plugin["source"]).startswith("github.com/"), name
        assert plain(plugin["source"]).rpartition("/")[2] == name
        sign, _, version = plain(plugin["version"]).partition(" ")
        assert sign == ">="
        assert len([int(part) for part in version.split(".")]) == 3


def test_the_plugins_are_those_that_the_templates_use() -> None:
    used = set()
    for template in templates():
        used |= {plain(kind) for source in template.get("source", []) for kind in source}
        for build in template.get("build", []):
            used |= {plain(kind) for item in build.get("provisioner", []) for kind in item}
    assert used >= {source.partition(".")[0] for source in SOURCES.values()}
    assert {PLUGIN_OF.get(kind, kind) for kind in used - BUILT_IN} == required().keys()


@pytest.mark.parametrize("name", RECIPES)
def test_every_image_has_a_builder_for_each_provider(name: str) -> None:
    (build,) = read(resources.path("images", name, f"{name}.pkr.hcl"))["build"]
    assert [plain(source) for source in build["sources"]] == [
        f"source.{SOURCES[provider]}" for provider in Provider
    ]


def test_no_template_but_the_block_of_plugins_asks_for_any() -> None:
    assert not [template for template in templates() if "packer" in template]
