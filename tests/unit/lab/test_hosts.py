"""What is written into hosts, and how often it is tried."""

import io
import tarfile
from pathlib import PurePosixPath
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.lab import api, hosts
from otto.lab.api import Api
from otto.model.errors import TransientError


class Flaky:
    """An engine that fails so many times before it does as it is told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.written: dict[str, Any] = {}

    def put_file(self, name: str, path: PurePosixPath, text: str, *, mode: int, owner: int) -> None:
        if self.failures:
            self.failures -= 1
            raise TransientError("broken pipe")
        self.written[f"{name}:{path}"] = (text, mode, owner)


@given(st.binary(max_size=2000))
def test_an_archive_ends_with_its_contents(data: bytes) -> None:
    made = api._archive("authorized_keys", data, 0o600, 1000)
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        [entry] = archive.getmembers()
        file = archive.extractfile(entry)
        assert file is not None
        assert file.read() == data
    assert (entry.name, entry.mode, entry.uid, entry.gid) == ("authorized_keys", 0o600, 1000, 1000)
    assert len(made) == 512 * (1 + -(-len(data) // 512) + 2)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_key_gets_in_although_the_engine_stumbles(failures: int) -> None:
    engine = Flaky(failures)
    hosts.put_key(cast("Api", engine), "shop-web-1", " ssh-ed25519 AAAA ")
    written = {"shop-web-1:/home/otto/.ssh/authorized_keys": ("ssh-ed25519 AAAA\n", 0o600, 1000)}
    assert engine.written == written


def test_an_engine_that_keeps_failing_is_told() -> None:
    with pytest.raises(TransientError, match="broken pipe"):
        hosts.put_key(cast("Api", Flaky(9)), "shop-web-1", "key")
