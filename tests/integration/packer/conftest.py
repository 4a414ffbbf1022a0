"""A lab of this run's own in which images are made, and templates to spoil."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otto import resources
from otto.adapters.ansible.rolefiles import role_digests
from otto.adapters.clock import SystemClock
from otto.adapters.identity import identity
from otto.adapters.packer import RECIPES, PackerBuilder, PackerOptions
from otto.cli import tidying
from otto.config import LabSettings, Settings
from otto.lab import names, processes
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop

POOL = "10.203.0.0/16"
OWNED = "otto.image.owner"


class Yard:
    """A home in which images are made.

    Attributes:
        home: its folder.
        lab: its lab.
        options: how images are built.
    """

    def __init__(self, home: Path) -> None:
        who = identity(home)
        self.home = home
        self.lab = Lab(home, who.owner, LabSettings(pool=POOL))
        self.workshop = Workshop(self.lab, who.public_key)
        self.options = PackerOptions(
            folder=home / "images",
            templates=resources.path("images"),
            ansible=resources.path("infra", "ansible"),
            key=who.key,
            timeout=180,
            checkout=resources.root(),
            tidying=tidying.command(Settings(home=home, lab=self.lab.settings)),
        )

    def builder(self, templates: Path | None = None) -> PackerBuilder:
        """A builder, over other templates than OttO's own if some are given."""
        options = replace(self.options, templates=templates) if templates else self.options
        return PackerBuilder(options, role_digests(options.ansible), self.workshop, SystemClock())

    def left(self) -> list[str]:
        """What is there of builds, besides images that have a name."""
        api = self.lab.api()
        marks = {names.OWNER: self.lab.owner}
        containers = [f"container {item['Id']}" for item in api.list_containers(marks)]
        networks = [f"network {item.name}" for item in api.list_networks(marks)]
        unnamed = [
            f"image {item.id}"
            for item in api.list_images(OWNED, self.lab.owner)
            if not [name for name in item.references if name != "<none>:<none>"]
        ]
        running = [f"process {item.pid}" for item in processes.matching("packer", str(self.home))]
        folders = [f"folder {path}" for path in self.options.folder.glob("*")]
        return [*containers, *networks, *unnamed, *running, *folders]


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    if shutil.which("packer") is None:
        pytest.fail("these tests build images: apt-get install packer")
    with opened(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """Another home on the same machine."""
    with opened(tmp_path_factory.mktemp("neighbour")) as made:
        yield made


@contextmanager
def opened(home: Path) -> Iterator[Yard]:
    made = Yard(home)
    made.lab.up()
    api = made.lab.api()
    try:
        yield made
    finally:
        for item in api.list_images(OWNED, made.lab.owner):
            made.workshop.discard(item.id)
        # Of what other homes built, our names.
        for item in [item for name in RECIPES for item in api.list_images("otto.image", name)]:
            made.workshop.discard(item.id)
        made.lab.clean()
    assert not [*processes.matching(str(home))], "building images left processes behind"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """OttO's templates, to be spoilt; an image of them is nobody else's."""
    copy = tmp_path / "images"
    shutil.copytree(resources.path("images"), copy)
    (copy / "nginx" / "mark").write_text(secrets.token_hex(8))
    return copy


def edit(path: Path, before: str, after: str) -> None:
    """Change a text in a file, where it has to be."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def quick(templates: Path) -> Path:
    """Have the image nginx built without its roles, for which nobody has to wait; the template."""
    template = templates / "nginx" / "nginx.pkr.hcl"
    text = template.read_text()
    start, end = text.index('  provisioner "ansible"'), text.rindex('  provisioner "shell"')
    template.write_text(text[:start] + text[end:])
    return template


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
