"""Secrets by reference: what is taken, and what is refused without being shown."""

from pathlib import Path

import pytest

from otto.adapters.secrets import open_secrets
from otto.cli.up.served import hook_options
from otto.config import HooksSettings
from otto.model.errors import UsageError

LONG, OTHER = "correct horse battery", "staple staple staple"


def file(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    return f"file:{path}"


def test_a_secret_is_read_from_a_file_or_the_environment(tmp_path: Path) -> None:
    assert open_secrets("x", file(tmp_path, f"{LONG}\n"), {}) == (LONG.encode(),)
    assert open_secrets("x", "env:HOOK", {"HOOK": LONG}) == (LONG.encode(),)
    assert open_secrets("x", "", {}) == ()


def test_several_are_valid_while_one_takes_anothers_place(tmp_path: Path) -> None:
    assert open_secrets("x", file(tmp_path, f"{LONG}\n\n {OTHER} \n"), {}) == (LONG.encode(), OTHER.encode())


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (LONG, 0o644, "others may read"),
        ("", 0o600, "is empty"),
        ("\n \n", 0o600, "there are 0 secrets"),
        ("short", 0o600, "less than 16 characters"),
        ((LONG + "\n") * 11, 0o600, "there are 11 secrets"),
    ],
)
def test_files_that_will_not_do(tmp_path: Path, text: str, mode: int, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        open_secrets("hooks.secret", file(tmp_path, text, mode), {})
    assert LONG not in str(caught.value)
    assert "hooks.secret" in str(caught.value)


@pytest.mark.parametrize(
    "reference", [LONG, "env:", "file:", "http:x", "file:/nowhere/secret", "env:NOWHERE"]
)
def test_what_is_no_reference_or_leads_nowhere(reference: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_secrets("hooks.secret", reference, {})
    assert LONG not in str(caught.value)


def test_the_setting_is_never_the_secret_itself() -> None:
    with pytest.raises(UsageError) as caught:
        HooksSettings(secret=LONG)
    assert LONG not in str(caught.value)


def test_options_of_webhooks_do_not_show_the_secret() -> None:
    found = hook_options(HooksSettings(secret="env:HOOK", maxBody=7), {"HOOK": LONG})
    assert (found.secrets, found.longest) == ((LONG.encode(),), 7)
    assert LONG not in repr(found)
