"""`otto token`: made, shown once, listed, taken back, over the store in memory."""

import asyncio
import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check
from typer.testing import CliRunner

from otto.cli.main import build_app
from otto.decide import tokens
from otto.model.caller import Scope, Token
from otto.model.errors import TransientError
from otto.model.history import AuditEntry


class Keys:
    """A stage, and what is kept of tokens."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        (stage.home / "otto.db").touch()

    @property
    def kept(self) -> tuple[Token, ...]:
        return asyncio.run(self.stage.world.store.tokens.all())

    @property
    def entries(self) -> list[AuditEntry]:
        return [record.entry for record in self.stage.world.ledger.log]

    def refuses(self, told: str, *words: str, status: int = 1) -> None:
        """One clear error, which changes nothing."""
        before = (self.kept, self.entries)
        result = self.stage.otto("token", *words)
        assert result.exit_code == status, result.output
        assert told in " ".join(result.stderr.replace("│", " ").split()), result.stderr
        assert (self.kept, self.entries) == before


@pytest.fixture
def keys(stage: Stage) -> Keys:
    return Keys(stage)


def test_a_token_is_printed_alone_and_kept_by_its_digest(keys: Keys) -> None:
    result = keys.stage.otto(
        "token", "create", "ci", "--scope", "operate", "--label", "team=web", "--by", "ann"
    )
    assert result.exit_code == 0, result.output
    secret = result.stdout.strip()
    assert tokens.is_whole(secret)
    assert "shown this once" in result.stderr
    assert secret not in result.stderr
    (token,) = keys.kept
    assert (token.name, token.scope, token.labels, token.made_by) == (
        "ci",
        Scope.OPERATE,
        {"team": "web"},
        "ann",
    )
    assert token.digest == tokens.digest_of(secret)
    assert token.expires_at - token.made_at == timedelta(days=90)
    (entry,) = keys.entries
    assert (entry.what, entry.who) == ("token-create", "ann")
    assert token.digest not in repr(entry)


def test_as_json_and_for_how_long(keys: Keys) -> None:
    result = keys.stage.otto("token", "create", "ci", "--scope", "READ", "--expires", "8h", "--json")
    document = json.loads(result.stdout)
    check("token-create", document)
    assert tokens.is_whole(document["secret"])
    (token,) = keys.kept
    assert token.expires_at - token.made_at == timedelta(hours=8)


def test_the_settings_say_how_long(keys: Keys) -> None:
    settings = ("--set", "api.tokenDays=7", "--set", "api.tokenMaxDays=10")
    assert keys.stage.otto(*settings, "token", "create", "ci", "--scope", "read").exit_code == 0
    assert keys.kept[0].expires_at - keys.kept[0].made_at == timedelta(days=7)
    result = keys.stage.otto(*settings, "token", "create", "b", "--scope", "read", "--expires", "11d")
    assert result.exit_code == 1
    assert "for at most 10 days" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "ci", "--scope", "root"), "one of read, operate, write, admin"),
        (("create", "", "--scope", "read"), "the name is empty"),
        (("create", "otto", "--scope", "read"), "what OttO calls itself"),
        (("create", "ci", "--scope", "read", "--label", "team"), "is no label"),
        (("create", "ci", "--scope", "read", "--expires", "0s"), "is no time at all"),
        (("create", "ci", "--scope", "read", "--expires", "yesterday"), "is no length of time"),
        (("create", "ci", "--scope", "read", "--expires", "999999999w"), "at most 366 days"),
        (("create", "ci", "--scope", "read", "--note", "x" * 501), "at most 500 are kept"),
        (("revoke", "nothing"), "there is no token 'nothing'"),
    ],
)
def test_bad_input(keys: Keys, words: tuple[str, ...], told: str) -> None:
    keys.refuses(told, *words)


def test_a_name_is_taken_until_its_token_is_revoked(keys: Keys) -> None:
    create = ("token", "create", "ci", "--scope", "read")
    assert keys.stage.otto(*create).exit_code == 0
    keys.refuses("there is a token 'ci' already", *create[1:])
    assert keys.stage.otto("token", "revoke", "ci").exit_code == 0
    assert keys.stage.otto(*create).exit_code == 0
    assert [entry.what for entry in keys.entries] == ["token-create", "token-revoke", "token-create"]


def test_a_token_is_taken_back_by_the_first_digits_of_its_id(keys: Keys) -> None:
    keys.stage.otto("token", "create", "ci", "--scope", "read")
    (token,) = keys.kept
    result = keys.stage.otto("token", "revoke", token.id[:6], "--note", "leaked", "--json")
    check("token-revoke", json.loads(result.stdout))
    (token,) = keys.kept
    assert not token.holds(token.made_at + timedelta(hours=1))
    assert keys.entries[-1].reason == "leaked"
    keys.refuses("is revoked already", "revoke", token.id)


def test_the_list(keys: Keys) -> None:
    assert "there are no tokens" in keys.stage.otto("token", "list").stdout
    for name in ("ann", "bob"):
        keys.stage.otto("token", "create", name, "--scope", "read", "--label", f"team={name}")
    keys.stage.otto("token", "revoke", "ann")
    document = json.loads(keys.stage.otto("token", "list", "--json").stdout)
    check("token-list", document)
    assert [(token["name"], token["holds"]) for token in document["tokens"]] == [
        ("bob", True),
        ("ann", False),
    ]
    lines = keys.stage.otto("token", "list", environ={"COLUMNS": "160"}).stdout.splitlines()
    assert lines[0].split() == ["ID", "NAME", "SCOPE", "SITES", "BY", "MADE", "UNTIL", "USED"]
    assert "team=bob" in lines[1]
    assert "revoked" in lines[2]
    for token in keys.kept:
        assert token.digest not in keys.stage.otto("token", "list", "--json").stdout


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("token revoke ", ["ann"]),
        ("token revoke b", []),
        ("token create x --scope ", ["read", "operate", "write", "admin"]),
    ],
)
def test_a_shell_completes_tokens_that_hold_and_scopes(keys: Keys, typed: str, told: list[str]) -> None:
    for name in ("ann", "bob"):
        assert keys.stage.otto("token", "create", name, "--scope", "read").exit_code == 0
    assert keys.stage.otto("token", "revoke", "bob").exit_code == 0
    words = f"otto --home {keys.stage.home} {typed}"
    environ = {"_OTTO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(build_app(keys.stage.composition), [], env=environ, prog_name="otto")
    assert (result.stdout.split(), result.stderr) == (told, "")


def test_a_file_holds_it_and_nobody_else_may_read_it(keys: Keys, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("an older one")
    path.chmod(0o644)
    os.umask(os.umask(0))
    result = keys.stage.otto("token", "create", "ci", "--scope", "read", "--to", str(path))
    assert result.exit_code == 0, result.output
    assert tokens.is_whole(path.read_text().rstrip("\n"))
    assert path.read_text().strip() not in result.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(
        keys.stage.otto("token", "create", "b", "--scope", "read", "--to", str(path), "--json").stdout
    )
    check("token-create", document)
    assert (document["secret"], document["file"]) == (None, str(path))
    assert sorted(item.name for item in tmp_path.iterdir()) == ["home", "token"]


def test_a_file_that_cannot_be_written_makes_no_token(keys: Keys, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere" / "token"):
        keys.refuses(str(place), "create", "ci", "--scope", "read", "--to", str(place))
    keys.stage.world.store.tokens.failures.next("add", TransientError("the disk is full"))
    result = keys.stage.otto("token", "create", "ci", "--scope", "read", "--to", str(tmp_path / "token"))
    assert result.exit_code == 1
    assert [item.name for item in tmp_path.iterdir()] == ["home"]


def test_before_otto_ever_ran(stage: Stage) -> None:
    result = stage.otto("token", "list")
    assert result.exit_code == 1
    assert "has not run over" in result.stderr
