"""What Packer is run on: a private folder with the template and its variables, and an environment."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from otto.adapters.packer import parts, recipes, running
from otto.adapters.packer.options import PackerOptions
from otto.adapters.packer.recipes import RECIPES
from otto.adapters.packer.running import Job
from otto.adapters.packer.workshop import Workshop
from otto.model.errors import TransientError
from otto.model.image import Build
from otto.model.spec import Provider

# Builder and name of each provider's source in the templates.
SOURCES: Mapping[Provider, str] = {
    Provider.LAB: "docker.lab",
    Provider.AWS: "amazon-ebs.aws",
    Provider.DIGITALOCEAN: "digitalocean.digitalocean",
    Provider.GCP: "googlecompute.gcp",
    Provider.VAGRANT: "vagrant.vagrant",
}
# What Packer and its builders read for themselves; the clouds' go to builds at clouds alone.
_PASSED_ON = re.compile(r"HOME|LANG|USER|XDG_RUNTIME_DIR|PACKER_PLUGIN_PATH|(?i:https?_proxy|no_proxy)")
_CREDENTIALS = re.compile(r"(?:AWS|DIGITALOCEAN|GOOGLE|CLOUDSDK|VAGRANT|VBOX|DO)_.+")


@asynccontextmanager
async def folder(options: PackerOptions, build: Build) -> AsyncIterator[Path]:
    """A build's own folder, closed to others; whatever lay there is gone before, and all of it after."""
    made = options.folder / build.name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True, mode=0o700)
    try:
        yield made
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)


async def prepare(
    options: PackerOptions, build: Build, where: Path, lab: Workshop, *, judged: bool = False
) -> Job:
    """Lay everything out for a build.

    Args:
        options: how images are built.
        build: what is built.
        where: its folder.
        lab: where images of the lab are built.
        judged: whether the template is only judged, and nothing built.

    Raises:
        TerminalError: there is no Packer.
        TransientError: its plugins, or what goes into the image, cannot be had.
    """
    binary = running.find(options.binary)
    plugins = await running.version(binary) >= running.PLUGINS_SINCE
    _lay(options.templates, build.name, where / "template", plugins=plugins)
    provider = Provider(build.provider)
    environment = _environment(options, provider, where, plugins=plugins)
    file = where / "variables.json"
    # A file that is there, for a template that is only judged.
    variables = _variables(options, build) | {"parts": str(file)}
    if not judged:
        variables["parts"] = str(await _parts(options, build, where, lab, environment))
    if provider is Provider.LAB and not judged:
        # Last of all: its PATH is the one that counts.
        environment |= await asyncio.to_thread(lab.tools, where, environment["PATH"])
        variables |= await asyncio.to_thread(_making, build, lab)
    file.touch(mode=0o600)
    file.write_text(json.dumps(variables), encoding="utf-8")
    job = Job(binary, where, SOURCES[provider], environment, options.timeout)
    if plugins:
        await running.fetch_plugins(job)
    return job


async def _parts(
    options: PackerOptions, build: Build, where: Path, lab: Workshop, environment: Mapping[str, str]
) -> Path:
    """What goes into an image besides what its roles and scripts bring, as an archive."""
    recipe, archive = RECIPES[build.name], where / "parts.tar"
    # What an image of the lab is made of has the controller already.
    if recipe.controller and (build.provider != Provider.LAB or not recipe.parent):
        await parts.gather(options, archive, environment)
    if recipe.lab:
        packed = await asyncio.to_thread(lab.pack_base, build.name, where)
        await asyncio.to_thread(parts.add, archive, packed)
        packed.unlink()
    return archive


def _lay(templates: Path, name: str, template: Path, *, plugins: bool) -> None:
    """Packer takes one folder: the image's own template, what all share, and for newer ones the plugins."""
    template.mkdir()
    for part in (recipes.COMMON, name, *([recipes.PLUGINS] if plugins else [])):
        for path in (templates / part).glob("*.pkr.hcl"):
            shutil.copyfile(path, template / path.name)


def _variables(options: PackerOptions, build: Build) -> dict[str, object]:
    return {
        **recipes.set_in(options.environ, options.templates),
        "ansible": str(options.ansible),
        "images": str(options.templates),
        "digest": build.digest,
    }


def _making(build: Build, workshop: Workshop) -> dict[str, object]:
    """Variables of a build in the lab.

    Raises:
        TransientError: what it is made of is gone.
    """
    parent = RECIPES[build.name].parent
    base = workshop.built(parent, build.parent) if parent else workshop.base
    if not base:
        raise TransientError(f"the lab has no image {parent} to make {build.name} of", mend="try again")
    return {
        "lab_base": base,
        "lab_run": list(workshop.room(build.name)),
        "owner": workshop.owner,
    }


def _environment(options: PackerOptions, provider: Provider, where: Path, *, plugins: bool) -> dict[str, str]:
    """All that Packer gets; credentials of clouds only where they are needed."""
    environ = options.environ
    passed = {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)}
    if provider is not Provider.LAB:
        passed |= {name: value for name, value in environ.items() if _CREDENTIALS.fullmatch(name)}
    # Where it looks for plugins; a Packer that has them built in needs nothing of the user's.
    own = {} if plugins else {"PACKER_CONFIG_DIR": str(where)}
    return {
        **passed,
        **own,
        "PATH": f"{Path(sys.executable).parent}:{environ.get('PATH', os.defpath)}",
        "TMPDIR": str(where),
        "CHECKPOINT_DISABLE": "1",
        "PACKER_NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_HOME": str(where / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(where / "ansible" / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
    }
