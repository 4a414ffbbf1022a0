"""Which forge the settings and addresses lead to."""

from pathlib import Path

import pytest

from otto.adapters.forge import Address, address
from otto.cli.forging import forge_of
from otto.cli.secrecy import known_secrets
from otto.config import load
from otto.model.errors import UsageError
from otto.model.forge import ForgeKind
from otto.telemetry.metrics import Metrics
from otto.testing import FakeClock

HUB, LAB, TEA = ForgeKind.GITHUB, ForgeKind.GITLAB, ForgeKind.GITEA


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("", "", "", "https://github.com/a/b"), Address(HUB, "https://api.github.com", "github.com")),
        (
            ("", "", "", "ssh://git@ssh.github.com:443/a/b"),
            Address(HUB, "https://api.github.com", "github.com"),
        ),
        (("", "", "", "https://gitlab.com/a/b.git"), Address(LAB, "https://gitlab.com/api/v4", "gitlab.com")),
        (
            ("", "", "", "https://codeberg.org/a/b"),
            Address(TEA, "https://codeberg.org/api/v1", "codeberg.org"),
        ),
        (
            ("github", "", "", "https://git.a.example/a/b"),
            Address(HUB, "https://git.a.example/api/v3", "git.a.example"),
        ),
        (("forgejo", "", "Git.a.example", ""), Address(TEA, "https://git.a.example/api/v1", "git.a.example")),
        (("", "https://api.github.com", "", ""), Address(HUB, "https://api.github.com", "github.com")),
        (
            ("gitlab", "https://x.example/l/api/v4/", "", ""),
            Address(LAB, "https://x.example/l/api/v4", "x.example"),
        ),
    ],
)
def test_a_forge_is_told_by_its_host_or_by_the_settings(given: tuple[str, ...], found: Address) -> None:
    assert address(*given) == found


@pytest.mark.parametrize(
    "given",
    [
        ("", "", "", ""),
        ("", "", "", "https://git.a.example/a/b"),
        ("bitbucket", "", "", "https://github.com/a/b"),
        ("gitea", "http://git.a.example/api/v1", "", ""),
        ("gitea", "https://user:word@git.a.example/api/v1", "", ""),
        ("gitea", "ftp://git.a.example", "", ""),
        ("gitea", "https://git.a.example/api/v1?token=x", "", ""),
        ("gitea", "https://", "git.a.example", ""),
    ],
)
def test_what_cannot_be_told_or_trusted_is_refused(given: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        address(*given)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "url", "name"),
    [
        (HUB, "https://git.example/acme/specs", "acme/specs"),
        (HUB, "https://git.example/acme/specs.git", "acme/specs"),
        (HUB, "ssh://git@git.example:2222/acme/specs.git", "acme/specs"),
        (HUB, "git@git.example:acme/specs.git", "acme/specs"),
        (HUB, "https://GIT.example/acme/specs/", "acme/specs"),
        (HUB, "https://git.example/a/b/c", ""),
        (LAB, "https://git.example/a/b/c", "a/b/c"),
        (HUB, "https://elsewhere.example/acme/specs", ""),
        (HUB, "https://git.example.evil.example/acme/specs", ""),
        (HUB, "https://git.example/acme/..", ""),
        (LAB, "https://git.example/acme/%2e%2e/x", ""),
        (HUB, "https://git.example/acme/a b", ""),
        (HUB, "https://git.example/acme", ""),
        (HUB, "file:///git.example/acme/specs", ""),
        (HUB, "http://[git.example/acme/specs", ""),
        (HUB, "", ""),
    ],
)
def test_a_repository_is_known_by_its_address(kind: ForgeKind, url: str, name: str) -> None:
    assert Address(kind, "https://git.example/api", "git.example").repository(url) == name


def test_without_a_token_nobody_is_told(tmp_path: Path) -> None:
    settings = load({"OTTO_HOME": str(tmp_path), "OTTO_SOURCE_URL": "https://github.com/a/b"})
    assert forge_of(settings, FakeClock(), Metrics(), str) is None


def test_a_token_that_is_not_there_is_told_at_the_start_and_one_that_is_stays_secret(tmp_path: Path) -> None:
    file = tmp_path / "token"
    environ = {
        "OTTO_HOME": str(tmp_path),
        "OTTO_SOURCE_URL": "https://github.com/a/b",
        "OTTO_FORGE_TOKEN": f"file:{file}",
    }
    settings = load(environ)
    with pytest.raises(UsageError, match="cannot be read"):
        forge_of(settings, FakeClock(), Metrics(), str)
    file.write_text("ghp-of-a-test\n")
    file.chmod(0o600)
    metrics = Metrics()
    assert forge_of(settings, FakeClock(), metrics, str) is not None
    assert "ghp-of-a-test" in known_secrets(settings, environ)
    assert b'otto_forge_calls_total{call="status",forge="github",result="ok"} 0.0' in metrics.render()[0]


def test_a_token_itself_is_no_setting() -> None:
    with pytest.raises(UsageError) as caught:
        load({"OTTO_FORGE_TOKEN": "ghp_itself"})
    assert "ghp_itself" not in str(caught.value)
