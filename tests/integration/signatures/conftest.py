from collections.abc import Iterator
from pathlib import Path

import pytest

from otto.adapters.signatures import SignatureTools

from .signing import PgpKeys, SshKey


@pytest.fixture
def key(tmp_path: Path) -> SshKey:
    return SshKey.made(tmp_path / "key")


@pytest.fixture(scope="session")
def pgp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PgpKeys]:
    """OpenPGP keys: good ones of ada and grace, one that ended, one that is revoked."""
    # The agent's socket lies in the home, and its path may not be long.
    keys = PgpKeys.made(tmp_path_factory.mktemp("g") / "h")
    keys.make("ada")
    keys.make("grace")
    keys.make("ended", "2020-07-01", at="20200101T000000")
    keys.make("revoked")
    yield keys
    keys.close()


@pytest.fixture
def tools(tmp_path: Path) -> SignatureTools:
    return SignatureTools(tmp_path)
