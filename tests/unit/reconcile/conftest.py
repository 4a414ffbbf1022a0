"""Fixtures of the loop's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from otto.model.status import Phase

from .rollouts import rolling
from .stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
async def started(stage: Stage) -> AsyncIterator[Stage]:
    stage.world.push(rolling())
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        yield stage
