"""Records of pipelines."""

from collections.abc import Mapping
from typing import Protocol

from otto.model.pipeline import Pipeline
from otto.model.register import Place


class PipelineRecords(Protocol):
    """What pipelines did."""

    async def save(self, *pipelines: Pipeline) -> None:
        """Keep pipelines, replacing what was kept of them; ended ones push the oldest of their site out."""

    async def pipeline(self, pipeline_id: str) -> Pipeline | None:
        """A pipeline by id."""

    async def pipelines(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        before: Place | None = None,
    ) -> tuple[Pipeline, ...]:
        """Pipelines, newest first; arguments as those of `Store.runs`."""

    async def open(self) -> tuple[Pipeline, ...]:
        """Pipelines that never ended."""
