"""`otto ci validate` over real git repositories, as a CI job has them: no controller, no OTTO_HOME."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.git.gitting import Work, git
from typer.testing import CliRunner, Result

from otto.cli.main import build_app

ROOT = Path(__file__).resolve().parents[3]
HEAD = "<!doctype html><title>t</title>\n"
BROKEN = f"{HEAD}<a href=gone>x</a>"
Otto = Callable[..., Result]


def spec(name: str, more: str = "", content: str = "") -> str:
    where = content or f"path: sites/{name}"
    return (
        f"apiVersion: otto/v1\nkind: Site\nmetadata: {{name: {name}}}\nspec:\n  content: {{{where}}}\n{more}"
    )


def site(name: str, page: str = HEAD, more: str = "", content: str = "") -> dict[str, str | bytes | None]:
    return {f"specs/{name}.yaml": spec(name, more, content), f"sites/{name}/index.html": page}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    made = Work(tmp_path / "work")
    made.commit(site("acme") | site("shop"))
    return made


@pytest.fixture
def otto(work: Work, tmp_path: Path) -> Otto:
    def call(*words: str, path: Path = work.path) -> Result:
        environ = {"COLUMNS": "200", "OTTO_HOME": str(tmp_path / "none"), "OTTO_DEBUG": ""}
        result = CliRunner().invoke(build_app(), ["ci", "validate", str(path), *words], env=environ)
        assert not (tmp_path / "none").exists()
        return result

    return call


def remarks(result: Result) -> list[tuple[str, str, str]]:
    document: Any = json.loads(result.stdout)
    return [(item["file"], item["rule"], item["severity"]) for item in document["remarks"]]


def test_a_good_repository(otto: Otto) -> None:
    result = otto()
    assert (result.exit_code, result.stdout) == (0, "2 spec files, 2 good sites: all is sound\n")


def test_the_example_site_is_sound_as_it_ships(otto: Otto, tmp_path: Path) -> None:
    work = Work(tmp_path / "example")
    for folder in ("specs", "sites"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                work.write({str(path.relative_to(ROOT)): path.read_bytes()})
    work.commit({})
    result = otto("--strict", path=work.path)
    assert (result.exit_code, result.stdout) == (0, "1 spec file, 1 good site: all is sound\n")


def test_broken_content_warns_or_fails_as_the_spec_says(otto: Otto, work: Work) -> None:
    work.commit(site("acme", BROKEN))
    place = ("sites/acme/index.html", "link.missing")
    warned = otto("--json")
    assert (warned.exit_code, remarks(warned)) == (0, [(*place, "warning")])
    strict = otto("--json", "--strict")
    assert (strict.exit_code, remarks(strict)) == (1, [(*place, "error")])
    work.commit(site("acme", BROKEN, content="path: sites/acme, validate: error"))
    failed = otto()
    assert failed.exit_code == 1
    assert "sites/acme/index.html:2: error: a href" in failed.stdout
    work.commit(site("acme", BROKEN, content="path: sites/acme, validate: ignore"))
    assert remarks(otto("--json")) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"specs/acme.yaml": spec("acme", "  web: {cuont: 1}\n")}, "cuont"),
        ({"specs/acme.yaml": spec("acme", content="path: sites/none")}, "is not there"),
        ({"specs/acme.yaml": spec("acme", content="validate: warn")}, "does not say where the content is"),
        ({"specs/acme.yaml": spec("acme", "  dependsOn: [nobody]\n")}, "nobody"),
        ({"sites/acme/big": f"version https://git-lfs.github.com/spec/v1\noid {'0' * 64}\n"}, "LFS pointer"),
    ],
)
def test_what_the_controller_would_refuse(
    otto: Otto, work: Work, files: dict[str, str | bytes | None], words: str
) -> None:
    work.commit(files)
    result = otto()
    assert result.exit_code == 1
    assert words in result.stdout
    assert "specs/acme.yaml:" in result.stdout


def test_what_a_merge_would_change(otto: Otto, work: Work) -> None:
    git(work.path, "checkout", "-q", "-b", "topic")
    work.commit({**site("new"), "specs/shop.yaml": None, "sites/acme/index.html": f"{HEAD}new"})
    git(work.path, "checkout", "-q", "main")
    work.commit(site("elsewhere"))
    git(work.path, "checkout", "-q", "topic")
    lines = otto("--base", "main").stdout.splitlines()
    assert lines[0].startswith("against ")
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["accepted", "acme"],
        ["accepted", "new"],
        ["removed", "shop"],
    ]
    assert "elsewhere" not in "".join(lines)
    assert "2 other sites untouched" in otto("--base", "HEAD").stdout


def test_the_end_of_a_protected_site_and_a_collapse_are_told_of(otto: Otto, work: Work) -> None:
    work.commit(site("acme", more="  policy: {protect: true}\n") | site("three") | site("four"))
    git(work.path, "checkout", "-q", "-b", "topic")
    stone = "apiVersion: otto/v1\nkind: Tombstone\nspec: {site: acme, reason: over}\n"
    work.commit({"specs/acme.yaml": stone, "specs/three.yaml": None, "specs/four.yaml": None})
    result = otto("--base", "main", "--json")
    assert result.exit_code == 0
    assert remarks(result) == [
        ("", "change.collapse", "warning"),
        ("specs/acme.yaml", "change.protected", "warning"),
    ]


def test_the_policy_is_judged_too(otto: Otto, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: otto/v1\nkind: FleetPolicy\nspec: {collapse: {cuont: 1}}\n")
    result = otto("--policy", str(policy))
    assert result.exit_code == 1
    assert "policy.yaml:3:" in result.stdout
    assert otto("--policy", str(tmp_path / "none.yaml")).exit_code == 2


def test_what_cannot_be_looked_at(otto: Otto, work: Work, tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    for result in (otto(path=tmp_path / "loose"), otto("--base", "nope")):
        assert result.exit_code == 2
        assert "mend:" in result.stderr
    git(work.path, "checkout", "-q", "--orphan", "stranger")
    work.commit({"README": "of another origin"})
    apart = otto("--base", "main")
    assert apart.exit_code == 2
    assert "fetch-depth: 0" in apart.stderr


def test_uncommitted_files_are_counted_not_judged(otto: Otto, work: Work) -> None:
    work.write({"specs/acme.yaml": "bad: ["})
    result = otto()
    assert result.exit_code == 0
    assert "1 uncommitted" in result.stdout


def test_other_repositories_are_fetched_when_asked(otto: Otto, work: Work, tmp_path: Path) -> None:
    work.commit(site("acme", content="git: 'https://127.0.0.1:1/x.git', ref: main"))
    quiet = otto()
    assert quiet.exit_code == 0
    assert "content of acme was not looked at" in quiet.stdout
    asked = otto("--fetch")
    assert asked.exit_code == 1
    assert "cannot be reached" in asked.stdout


def test_what_is_known_is_kept_for_the_next_job(
    otto: Otto, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.commit(site("acme", BROKEN))
    first = otto("--cache", str(tmp_path / "cache"), "--json")
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert otto("--cache", str(tmp_path / "cache"), "--json").stdout == first.stdout


def test_a_report_goes_into_a_file(otto: Otto, work: Work, tmp_path: Path) -> None:
    work.commit(site("acme", BROKEN))
    report = tmp_path / "report.json"
    result = otto("--format", "gitlab", "--output", str(report))
    assert "sites/acme/index.html:2" in result.stdout
    assert json.loads(report.read_text())[0]["check_name"] == "link.missing"
    assert otto("--output", str(tmp_path / "none" / "report")).exit_code == 2
