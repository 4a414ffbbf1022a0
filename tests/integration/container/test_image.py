"""What is in the image, and what is not."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from otto import __version__, resources

from .conftest import PASSWORD, environment, podman, run

pytestmark = pytest.mark.xdist_group("container")
ROOT = resources.root()


def inside(image: str, script: str) -> str:
    """What a script prints, with root's eyes."""
    return podman(
        "run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "sh", image, "-c", script
    )


def test_is_set_up_to_be_run(image: str) -> None:
    (found,) = json.loads(podman("image", "inspect", image))
    config = found["Config"]
    assert config["User"] == "1000:0"
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["Volumes"]) == ["/var/lib/otto"]
    assert found["Healthcheck"]["Test"] == ["CMD", "/usr/local/lib/otto/healthy"]
    assert config["Labels"]["org.opencontainers.image.revision"]


def test_holds_what_the_controller_drives(image: str) -> None:
    said = inside(
        image, "otto --version; terraform version; ansible-playbook --version; git --version; ssh -V 2>&1"
    )
    assert re.search(
        rf"{re.escape(__version__)}.*Terraform v.*ansible-playbook .core.*git version.*OpenSSH",
        said,
        re.DOTALL,
    )


def test_adds_no_more_to_its_base_than_it_has_to(
    image: str, record_property: Callable[[str, object], None]
) -> None:
    base = run("bash", ROOT / "infra" / "lab" / "build-base", "--tag")
    sizes = [
        int(podman("image", "inspect", "--format", "{{.Size}}", each)) // 10**6 for each in (image, base)
    ]
    record_property("size", json.dumps({"image": image, "whole": sizes[0], "base": sizes[1]}))
    # Debian's packages 86, OttO with what it imports 193, Terraform 91 (docs/how-to/container.md).
    assert sizes[0] - sizes[1] < 480


def test_nobody_in_it_can_become_somebody_else(image: str) -> None:
    assert not inside(image, "find / -xdev -type f -perm /6000; command -v pip gcc || true")


def test_is_compiled_since_nothing_can_be_written_later(image: str) -> None:
    packages = "/opt/otto/lib/python3*/site-packages"
    assert inside(
        image, f"ls {packages}/otto/cli/__pycache__/main.*.pyc {packages}/yaml/__pycache__/nodes.*.pyc"
    )
    assert not inside(image, f"find {packages} -name uv_cache.json")


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces that overlap, so that nothing is cut in two unseen."""
    tail = b""
    while piece := stream.read(1 << 20):
        yield tail + piece
        tail = piece[-64:]


def test_no_layer_holds_a_secret_of_the_machine_that_built_it(image: str) -> None:
    with subprocess.Popen(
        ["podman", "save", "--format", "docker-archive", image], env=environment(), stdout=subprocess.PIPE
    ) as saved:
        assert saved.stdout
        found, total = False, 0
        for piece in chunks(saved.stdout):
            found = found or PASSWORD.encode() in piece
            total += len(piece)
    assert saved.returncode == 0
    assert total > 100_000_000
    assert not found
    assert PASSWORD not in podman("history", "--no-trunc", image)


def test_the_machine_that_built_it_had_a_secret_to_lose(apt_settings: Path) -> None:
    dumped = run("apt-config", "dump", "Acquire::http::Proxy", more={"APT_CONFIG": str(apt_settings)})
    assert PASSWORD in dumped


def test_the_build_is_given_every_folder_that_goes_into_the_wheel() -> None:
    hook = (ROOT / "infra" / "setup" / "wheel.py").read_text(encoding="utf-8")
    folders = re.findall(r'"(\w+)"', re.search(r"^FOLDERS = \((.*)\)$", hook, re.MULTILINE)[1])  # type: ignore[index]
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert folders
    assert {"controller", "pyproject.toml", "requirements.lock", *folders} <= allowed
