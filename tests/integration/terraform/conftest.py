import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import Settings, TerraformInfrastructure
from otto.model.progress import Progress
from otto.model.spec import Provider

from .local_provider import LocalBackend, make_backend


class Heard:
    """A report that remembers."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.progress.append(progress)

    @property
    def messages(self) -> list[str]:
        return [progress.message for progress in self.progress]


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return make_backend(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "sites", grace=2.0, kill_grace=2.0, lock_wait=0.0, poll=0.02)


@pytest.fixture
def infrastructure(backend: LocalBackend, settings: Settings) -> TerraformInfrastructure:
    return TerraformInfrastructure({Provider.LAB: backend}, settings, SystemClock(), os.environ)


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.home / "blog"


@pytest.fixture
def heard() -> Heard:
    return Heard()


async def eventually(holds: Callable[[], bool], within: float = 20.0) -> None:
    """Wait for something another process does."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.01)
