"""The application as a whole: help, options of the root, errors, settings, validation."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.unit.cli.conftest import MemoryComposition, Stage
from typer.testing import CliRunner

from otto import __version__
from otto.cli import compose
from otto.cli.composition import Composition, Real
from otto.cli.main import build_app
from otto.config import Settings
from otto.model.errors import OttoError, TerminalError
from otto.ports import Store
from otto.testing import site_spec

GOOD = """\
apiVersion: otto/v1
kind: Site
metadata: {name: acme}
spec:
  provider: lab
  web: {count: 1, size: small, image: base}
  balancer: {count: 1, size: small, image: base}
  content: {path: sites/acme}
"""


def test_the_real_composition_is_one(stage: Stage) -> None:
    compositions: tuple[Composition, ...] = (Real(), MemoryComposition(stage.world))
    assert all(compositions)
    assert callable(compose.open_kit)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["up", "--help"], ["lab", "clean", "--help"]])
def test_help(stage: Stage, words: list[str]) -> None:
    result = stage.otto(*words)
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_every_command_says_what_it_does_in_one_short_line(stage: Stage) -> None:
    lines = stage.otto("--help").stdout.split("Commands:")[1].splitlines()
    assert [line for line in lines if line.endswith("...")] == []


def test_no_command_is_help(stage: Stage) -> None:
    assert "Usage: " in stage.otto().output


def test_version(stage: Stage) -> None:
    assert stage.otto("--version").stdout == f"otto {__version__}\n"
    assert stage.otto("version").stdout.startswith(f"otto {__version__} (Python 3.")
    assert json.loads(stage.otto("version", "--json").stdout)["version"] == __version__


@pytest.mark.parametrize("words", [["nonsense"], ["status", "--nonsense"], ["--set", "novalue", "config"]])
def test_a_wrong_command_line_is_2(stage: Stage, words: list[str]) -> None:
    assert stage.otto(*words).exit_code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "api.prot=1", "config"], "there is no setting 'api.prot'"),
        (["--set", "api.port=many", "config"], "api.port"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(stage: Stage, words: list[str], told: str) -> None:
    result = stage.otto(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_flags_are_over_the_environment(stage: Stage) -> None:
    result = stage.otto("--set", "api.port=7171", "config", "--json", environ={"OTTO_API_PORT": "7272"})
    found = {item["name"]: item for item in json.loads(result.stdout)["settings"]}
    assert found["api.port"]["value"] == 7171
    assert found["home"]["value"] == str(stage.home)


def test_config_shows_every_setting_and_no_password(stage: Stage) -> None:
    url = "postgresql://otto:hunter2@db.example/otto"
    shown = stage.otto("config", environ={"OTTO_DATABASE_URL": url, "COLUMNS": "160"}).stdout
    assert "loop.verifyDeadline" in shown
    assert "OTTO_LOOP_VERIFYDEADLINE" in shown
    assert "hunter2" not in shown
    assert "otto:***@db.example" in shown
    changed = stage.otto("config", "--changed", environ={"OTTO_LAB_POOL": "10.9.0.0/16"}).stdout
    assert "lab.pool" in changed
    assert "loop.workers" not in changed


class Broken(MemoryComposition):
    """Fails as it is told to."""

    error: Exception | None = None

    @asynccontextmanager
    async def open_store_only(self, settings: Settings) -> AsyncIterator[Store]:
        if self.error:
            raise self.error
        yield self.world.store


def broken(stage: Stage, error: Exception) -> None:
    stage.composition = Broken(stage.world)
    stage.composition.error = error
    (stage.home / "otto.db").touch()


def test_an_error_of_ours_is_what_where_and_mend(stage: Stage) -> None:
    broken(
        stage, TerminalError("the store is [red]damaged\x1b[0m", mend="restore it", detail="line 1\nline 2")
    )
    result = stage.otto("status")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: the store is [red]damaged\\x1b[0m",
        "       line 1",
        "       line 2",
        "mend:  restore it",
    ]


def test_a_long_detail_is_cut_from_its_beginning(stage: Stage) -> None:
    broken(stage, OttoError("no", detail="\n".join(f"line {number}" for number in range(100))))
    lines = stage.otto("status").stderr.splitlines()
    assert lines[1] == "       … 70 lines before these …"
    assert lines[-1] == "       line 99"


def test_a_mistake_of_ours_has_no_traceback_unless_asked_for(stage: Stage) -> None:
    broken(stage, ZeroDivisionError("by zero"))
    result = stage.otto("status")
    assert result.exit_code == 1
    assert "OttO made a mistake: ZeroDivisionError: by zero" in result.stderr
    assert "Traceback" not in result.output
    assert "--debug" in result.stderr
    assert "Traceback" in stage.otto("--debug", "status").stderr
    assert "Traceback" in stage.otto("status", environ={"OTTO_DEBUG": "1"}).stderr


def test_validate(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "sites" / "acme").mkdir(parents=True)
    spec = tmp_path / "specs" / "acme.yaml"
    spec.write_text(GOOD)
    result = stage.otto("validate", "specs")
    assert result.exit_code == 0, result.output
    assert "1 file, 1 good site: all is sound" in result.stderr
    spec.write_text(GOOD.replace("count: 1", "cuont: 1"))
    result = stage.otto("validate", "specs")
    assert result.exit_code == 1
    assert "specs/acme.yaml:6:" in result.stdout
    assert "count" in result.stdout
    document = json.loads(stage.otto("validate", "--json", "specs/acme.yaml").stdout)
    assert document["valid"] is False
    assert {problem["line"] for problem in document["problems"]} >= {6}


def test_init_and_validate_what_it_wrote(stage: Stage, tmp_path: Path) -> None:
    result = stage.otto("init", str(tmp_path / "mine"))
    assert result.exit_code == 0, result.output
    assert stage.otto("validate", str(tmp_path / "mine")).exit_code == 0
    again = stage.otto("init", str(tmp_path / "mine"))
    assert again.exit_code == 1
    assert "is not an empty folder" in again.stderr


@pytest.mark.parametrize("words", [["--help"], ["version"], ["config"]])
def test_what_is_called_often_imports_little(words: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["otto", *{words!r}]
from otto.cli.main import app
try:
    app()
except SystemExit:
    pass
heavy = {{"sqlalchemy", "structlog", "fastapi", "uvicorn", "docker", "ansible_runner", "pygit2", "aiohttp"}}
print("HEAVY", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_completion_offers_names_of_sites(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    stage.otto("provision")
    environ = {
        "_OTTO_COMPLETE": "complete_bash",
        "COMP_WORDS": f"otto --home {stage.home} status ",
        "COMP_CWORD": "4",
    }
    result = CliRunner().invoke(build_app(stage.composition), [], env=environ, prog_name="otto")
    assert result.stdout.split() == ["acme", "shop"]
