"""What settings and the environment hold of secrets reaches no log."""

from pathlib import Path

import structlog
from rich.console import Console
from tests.unit.cli.conftest import Stage

from otto.cli.house import HomeHouse
from otto.cli.invocation import Invocation
from otto.cli.journal import journal
from otto.cli.secrecy import known_secrets
from otto.config import NotifySettings, Settings, SourceSettings
from otto.telemetry.logs import FILE


def of(environ: dict[str, str] | None = None, *, database: str = "", **source: str) -> frozenset[str]:
    settings = Settings(databaseUrl=database, source=SourceSettings(**source))  # type: ignore[arg-type]
    return known_secrets(settings, environ or {})


def test_the_token_is_known_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-a-file\n", encoding="utf-8")
    assert of({"GIT_READER": "from-the-environment"}, token="env:GIT_READER") == {"from-the-environment"}
    assert of(token=f"file:{file}") == {"from-a-file"}
    assert of(token="put-here-by-mistake") == {"put-here-by-mistake"}


def test_a_reference_that_leads_nowhere_has_no_secret(tmp_path: Path) -> None:
    assert of(token="env:NOT_THERE") == frozenset()
    assert of(token=f"file:{tmp_path / 'not-there'}") == frozenset()
    assert of() == frozenset()


def test_passwords_in_addresses_are_known_as_written_and_as_meant() -> None:
    database = "postgresql://otto:p%40ss%20word@db.example/otto"
    assert of(database=database, url="https://joe:letmein@git.example/x.git") == {
        "p%40ss%20word",
        "p@ss word",
        "letmein",
    }
    assert of(url="https://[broken") == frozenset()


def test_variables_named_like_secrets_are_known_switches_are_not() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "abcdefgh12",
        "DIGITALOCEAN_TOKEN": "ijklmnop34",
        "DISABLE_TOKEN": "false",
        "PATH": "/usr/bin:/bin",
    }
    assert of(environ) == {"abcdefgh12", "ijklmnop34"}


def refuse(token: str) -> None:
    raise ValueError(f"refused: {token}")


def test_no_known_secret_reaches_the_log_not_even_in_a_traceback(stage: Stage) -> None:
    environ = {"OTTO_HOME": str(stage.home), "OTTO_SOURCE_TOKEN": "env:READER", "READER": "s3cr3t words"}
    invocation = Invocation(stage.composition, environ, HomeHouse)
    invocation.out = Console()
    with journal(invocation, file=True):
        try:
            refuse("s3cr3t words")
        except ValueError:
            structlog.get_logger("otto.test").exception("test.failed", url="https://x/?t=s3cr3t%20words")
    line = (stage.home / "logs" / FILE).read_text(encoding="utf-8")
    assert "test.failed" in line
    assert "ValueError: refused: [redacted]" in line
    assert "s3cr3t" not in line


def test_ways_people_are_told_are_known(tmp_path: Path) -> None:
    ways = tmp_path / "ways"
    ways.write_text(
        "mmosts://chat.example/9gdnvqpk5jbwixs3\nmailto://joe:let%20me@mail.example\n", encoding="utf-8"
    )
    ways.chmod(0o600)
    known = known_secrets(Settings(notify=NotifySettings(urls=f"file:{ways}")), {})
    assert {"9gdnvqpk5jbwixs3", "mmosts://chat.example/9gdnvqpk5jbwixs3", "let me"} <= known
    assert not {"chat.example", "mail.example", "joe"} & known
    assert known_secrets(Settings(notify=NotifySettings(urls="file:/nonexistent")), {}) == frozenset()
