"""From references to secrets: files of one's own, variables, vaults; and within which bounds."""

import os
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from otto.adapters.secrets import Bounds, Resolver
from otto.model.errors import UsageError

SECRET, PASSWORD = "hunter2-correct-horse", "battery-staple-battery"
VAULT = "env:VAULT"


class Place:
    """A home with secrets in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "secrets"
        self.folder.mkdir()
        self.heard: list[str] = []
        self.environ = {"OTTO_DNS_KEY": SECRET, "OTTO_TOKEN": "not for specs", "VAULT": PASSWORD, "NONE": ""}

    def write(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def vault(self, name: str, text: str, password: str = PASSWORD) -> Path:
        closed = VaultLib([("default", VaultSecret(password.encode()))]).encrypt(text)
        return self.write(name, closed, 0o644)

    def resolver(self, *, bounded: bool = False, password: str = VAULT) -> Resolver:
        bounds = Bounds((self.folder,), ("OTTO_DNS_*",)) if bounded else None
        return Resolver(self.environ, self.heard.append, password, bounds)

    def refused(self, reference: str, *, bounded: bool = False, password: str = VAULT) -> str:
        with pytest.raises(UsageError) as caught:
            self.resolver(bounded=bounded, password=password).text("spec.server.key", reference)
        told = str(caught.value)
        assert SECRET not in told
        assert PASSWORD not in told
        assert "spec.server.key" in told or "vaultPassword" in told
        return told


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_variable_and_a_file(place: Place) -> None:
    path = place.write("key", f"{SECRET}\n")
    assert place.resolver().text("x", "env:OTTO_DNS_KEY") == SECRET
    assert place.resolver().text("x", f"file:{path}") == SECRET
    assert SECRET in place.heard


def test_every_line_of_a_secret_is_kept_out_of_logs(place: Place) -> None:
    path = place.write("aws", "key = abcdefgh\nsecret = ijklmnop\n")
    assert place.resolver().text("x", f"file:{path}") == "key = abcdefgh\nsecret = ijklmnop"
    assert {"key = abcdefgh", "secret = ijklmnop"} <= set(place.heard)


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        (SECRET, 0o640, "others may read"),
        (SECRET, 0o604, "others may read"),
        ("", 0o600, "is empty"),
        ("\n\n", 0o600, "is empty"),
        (b"\xff\xfe" * 10, 0o600, "is not UTF-8"),
        ("x" * 70_000, 0o600, "more than 65536 bytes"),
    ],
)
def test_files_that_will_not_do(place: Place, text: str | bytes, mode: int, told: str) -> None:
    assert told in place.refused(f"file:{place.write('key', text, mode)}")


def test_what_is_no_file(place: Place) -> None:
    os.mkfifo(place.folder / "pipe", 0o600)
    assert "is no file" in place.refused(f"file:{place.folder / 'pipe'}")
    assert "cannot be read" in place.refused(f"file:{place.folder / 'nothing'}")
    assert "is no file" in place.refused(f"file:{place.folder}")
    assert "is empty" in place.refused("env:NONE")
    assert "there is no variable NOTHING" in place.refused("env:NOTHING")


def test_a_vault_as_a_whole_and_one_entry_of_it(place: Place) -> None:
    place.vault("dns.yml", f"keys:\n  example: {SECRET}\n  number: 42\nlist: [1]\n")
    whole = place.vault("token", SECRET)
    resolver = place.resolver()
    assert resolver.text("x", f"vault:{place.folder / 'dns.yml'}#keys.example") == SECRET
    assert resolver.text("x", f"vault:{place.folder / 'dns.yml'}#keys.number") == "42"
    assert resolver.text("x", f"vault:{whole}") == SECRET
    assert {SECRET, PASSWORD} <= set(place.heard)


@pytest.mark.parametrize("key", ["nothing", "keys.nothing", "keys.example.deeper", "list", "keys", "yes"])
def test_an_entry_that_is_not_there(place: Place, key: str) -> None:
    path = place.vault("dns.yml", f"keys:\n  example: {SECRET}\nlist: [1]\nyes: true\n")
    assert "there is no such text" in place.refused(f"vault:{path}#{key}")


def test_vaults_that_will_not_do(place: Place) -> None:
    path = place.vault("dns.yml", f"key: {SECRET}", password="another one")
    assert "cannot be decrypted" in place.refused(f"vault:{path}#key")
    assert "is no vault" in place.refused(f"vault:{place.write('plain', SECRET)}")
    cut = place.vault("cut", SECRET).read_bytes()[:60]
    assert "cannot be decrypted" in place.refused(f"vault:{place.write('cut', cut)}")
    broken = place.vault("broken", f"key: {SECRET}: [")
    assert "the vault holds no YAML" in place.refused(f"vault:{broken}#key")
    assert "the password of vaults is not known" in place.refused(f"vault:{path}", password="")
    assert "cannot be in a vault itself" in place.refused(f"vault:{path}", password="vault:x")
    assert "there is no variable GONE" in place.refused(f"vault:{path}", password="env:GONE")


def test_specs_may_name_files_of_one_folder(place: Place, tmp_path: Path) -> None:
    place.write("key", SECRET)
    (place.folder / "deeper").mkdir()
    place.write("deeper/key", SECRET)
    outside = tmp_path / "id_ed25519"
    outside.write_text(SECRET)
    outside.chmod(0o600)
    (place.folder / "link").symlink_to(outside)
    (place.folder / "inner").symlink_to(place.folder / "key")
    bounded = place.resolver(bounded=True)
    for name in ("key", "deeper/key", "deeper/../key", "inner", str(place.folder / "key")):
        assert bounded.text("x", f"file:{name}") == SECRET
    for name in (str(outside), "../id_ed25519", "link", "/etc/passwd", "~/.ssh/id_ed25519"):
        told = place.refused(f"file:{name}", bounded=True)
        assert "may not be used by specs" in told or "cannot be read" in told
        assert "may not be used by specs" in place.refused(f"vault:{outside}", bounded=True)


def test_specs_may_name_some_variables(place: Place) -> None:
    assert place.resolver(bounded=True).text("x", "env:OTTO_DNS_KEY") == SECRET
    for name in ("OTTO_TOKEN", "VAULT", "HOME"):
        assert "may not be used by specs" in place.refused(f"env:{name}", bounded=True)
