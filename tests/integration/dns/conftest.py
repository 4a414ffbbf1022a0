"""A server of each make with a zone, and what changes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.dns.nameserver import MAKES, Nameserver

from otto.adapters.dns import engine

ZONE = "example.test"


@pytest.fixture(autouse=True, scope="session")
def _prepared() -> None:
    engine.prepare()


@pytest.fixture(params=sorted(MAKES))
def nameserver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nameserver]:
    with MAKES[request.param](tmp_path / request.param, [ZONE]) as server:
        yield server
