"""The wheel carries what the package needs at run time, and works from where it is installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from otto import resources

ROOT = resources.root()
FOLDERS = ("schemas", "infra", "specs", "sites")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "--wheel-dir", folder, ROOT], check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def members(wheel: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(wheel) as archive:
        return {item.filename: item for item in archive.infolist()}


def tracked(folder: str) -> set[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", folder]
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    return {name for name in out.split("\0") if name and (ROOT / name).is_file()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_tracked_file_of_the_data_folders_is_inside(
    members: dict[str, zipfile.ZipInfo], folder: str
) -> None:
    wanted = {f"otto/_data/{name}" for name in tracked(folder)}
    assert wanted
    assert wanted - set(members) == set()


def test_nothing_of_tools_or_tests_is_inside(members: dict[str, zipfile.ZipInfo]) -> None:
    parts = {part for name in members for part in Path(name).parts}
    assert not parts & {"__pycache__", ".terraform", ".ansible", "var"}
    assert {Path(name).parts[0] for name in members} <= {
        "otto",
        *(part for part in parts if "dist-info" in part),
    }
    assert not [name for name in members if ".tfstate" in name]


def test_scripts_stay_executable(members: dict[str, zipfile.ZipInfo]) -> None:
    script = members["otto/_data/infra/lab/build-base"]
    assert script.external_attr >> 16 & 0o111


def test_installed_elsewhere_the_package_finds_its_data(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*command, tmp_path, wheel], check=True, timeout=120)
    program = (
        "import otto.resources as r; print(r.root()); print(r.path('infra', 'lab', 'build-base').is_file())"
    )
    out = subprocess.run(
        [sys.executable, "-P", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ).stdout.split()
    assert out == [str(tmp_path / "otto" / "_data"), "True"]
