"""`otto validate`: files on disk, together."""

import json
from pathlib import Path

import pytest

from otto.adapters.specs.check import to_json, validate_paths

from .writing import spec


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in (".git", "specs/deep", "sites/hello", "sites/two"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "specs/hello.yaml").write_bytes(spec())
    (tmp_path / "specs/deep/two.yml").write_bytes(spec("two", dependsOn=["hello"]))
    (tmp_path / "specs/README.md").write_text("not a spec")
    (tmp_path / "specs/.hidden.yaml").write_text("not: a spec")
    (tmp_path / "other.yaml").write_text("not: a spec")
    return tmp_path


def _places(paths: list[Path], cwd: Path) -> list[str]:
    return [f"{problem.where} {problem.message}" for problem in validate_paths(paths, cwd=cwd).problems]


def test_a_repository_is_its_specs(repository: Path) -> None:
    result = validate_paths([], cwd=repository)
    assert result.files == ("specs/deep/two.yml", "specs/hello.yaml")
    assert result.sites == ("hello", "two")
    assert result.problems == ()


def test_files_named_are_judged_whatever_they_are_called(repository: Path) -> None:
    assert _places([Path("other.yaml")], repository) == [
        'other.yaml:1:1 missing field "apiVersion"',
        'other.yaml:1:1 missing field "kind"',
    ]


def test_a_folder_elsewhere_is_named_in_full(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = validate_paths([repository / "specs"], cwd=elsewhere)
    assert result.problems == ()
    assert result.files[0] == str(repository / "specs/deep/two.yml")


def test_files_are_judged_together(repository: Path) -> None:
    (repository / "specs/again.yaml").write_bytes(spec())
    (repository / "specs/lost.yaml").write_bytes(
        spec("two-b", dependsOn=["tow"], content={"path": "sites/two"})
    )
    assert _places([], repository) == [
        'specs/again.yaml:1:1 the name "hello" is taken twice, so neither is used',
        'specs/hello.yaml:1:1 the name "hello" is taken twice, so neither is used',
        'specs/lost.yaml:1:1 there is no site "tow" to depend on',
    ]
    assert validate_paths([], cwd=repository).sites == ("two",)


def test_content_has_to_be_there(repository: Path) -> None:
    (repository / "sites/file").write_text("x")
    (repository / "sites/link").symlink_to(repository / "sites/two")
    for name in ("gone", "file", "link"):
        (repository / f"specs/{name}.yaml").write_bytes(spec(name))
    assert _places([], repository) == [
        "specs/file.yaml:1:1 the content folder is not a folder",
        "specs/gone.yaml:1:1 the content folder is not there",
        "specs/link.yaml:1:1 the content folder lies behind a symbolic link",
    ]


def test_content_is_looked_for_beside_specs_without_git(repository: Path) -> None:
    (repository / ".git").rmdir()
    assert validate_paths([Path("specs")], cwd=repository).problems == ()
    assert validate_paths([repository], cwd=repository.parent).problems == ()


def test_links_are_not_followed(repository: Path) -> None:
    (repository / "specs/a.yaml").symlink_to("hello.yaml")
    (repository / "specs/folder").symlink_to("/etc")
    (repository / "specs/link").symlink_to("README.md")
    assert _places([], repository) == [
        "specs/a.yaml a symbolic link is not followed",
        "specs/folder a symbolic link is not followed",
    ]
    assert _places([Path("specs/a.yaml")], repository) == ["specs/a.yaml a symbolic link is not followed"]


def test_what_is_not_there(repository: Path) -> None:
    assert _places([Path("specs/nope.yaml")], repository) == [
        "specs/nope.yaml there is no such file or folder"
    ]


def test_a_file_that_yaml_cannot_read_is_told_once(repository: Path) -> None:
    (repository / "specs/bad.yaml").write_text("metadata:\n  name: bad\nspec: [\n")
    result = validate_paths([], cwd=repository)
    assert [problem.where for problem in result.problems] == ["specs/bad.yaml:4:1"]
    assert result.sites == ("hello", "two")


def test_a_file_given_twice_is_one_file(repository: Path) -> None:
    result = validate_paths([Path("specs/hello.yaml"), Path("specs")], cwd=repository)
    assert result.problems == ()
    assert len(result.files) == 2


def test_huge_files_are_not_read_to_the_end(repository: Path) -> None:
    with (repository / "specs/huge.yaml").open("wb") as stream:
        stream.truncate(10 * 1024**3)
    assert _places([], repository) == ["specs/huge.yaml this file is too big: 1048577 bytes"]


def test_json(repository: Path) -> None:
    (repository / "specs/bad.yaml").write_bytes(spec("bad", suspend="on"))
    answer = json.loads(json.dumps(to_json(validate_paths([], cwd=repository))))
    assert answer == {
        "valid": False,
        "files": ["specs/bad.yaml", "specs/deep/two.yml", "specs/hello.yaml"],
        "sites": ["hello", "two"],
        "zones": [],
        "problems": [
            {
                "file": "specs/bad.yaml",
                "line": 1,
                "column": 126,
                "pointer": "/spec/suspend",
                "message": "this has to be true or false",
                "found": '"on"',
                "allowed": "",
                "mend": "write true or false",
                "site": "bad",
            }
        ],
    }
