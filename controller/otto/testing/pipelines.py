"""What pipelines did, in memory."""

from collections.abc import Callable, Mapping

from otto.model.pipeline import Pipeline
from otto.model.register import Place
from otto.testing.failures import Failures
from otto.testing.register import narrowed


class MemoryPipelines:
    """Port `PipelineRecords` without a database. `failures` makes any of its methods raise.

    Args:
        keep: ended pipelines that are kept for each site.

    Attributes:
        labels: tells the labels of a site, None for one that is not there; set by the store.
    """

    def __init__(self, *, keep: int = 200) -> None:
        self._keep = keep
        self._pipelines: dict[str, Pipeline] = {}
        self.failures = Failures()
        self.labels: Callable[[str], Mapping[str, str] | None] = _none

    async def save(self, *pipelines: Pipeline) -> None:
        """Keep pipelines, replacing what was kept of them; ended ones push the oldest of their site out."""
        self.failures.strike("save")
        self._pipelines.update({pipeline.id: pipeline for pipeline in pipelines})
        for site in {pipeline.site for pipeline in pipelines if pipeline.ended_at is not None}:
            for old in self._newest(site)[self._keep :]:
                if old.ended_at is not None:
                    del self._pipelines[old.id]

    async def pipeline(self, pipeline_id: str) -> Pipeline | None:
        """A pipeline by id."""
        self.failures.strike("pipeline")
        return self._pipelines.get(pipeline_id)

    async def pipelines(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        before: Place | None = None,
    ) -> tuple[Pipeline, ...]:
        """Pipelines, newest first."""
        self.failures.strike("pipelines")
        meant = narrowed(site, labels, self.labels)
        found = [item for item in self._newest(site) if meant(item.site)]
        if before is not None:
            found = [item for item in found if (item.started_at, item.id) < (before.at, before.id)]
        return tuple(found[:limit])

    async def open(self) -> tuple[Pipeline, ...]:
        """Pipelines that never ended, newest first."""
        self.failures.strike("open")
        return tuple(item for item in self._newest(None) if item.ended_at is None)

    def _newest(self, site: str | None) -> list[Pipeline]:
        chosen = (item for item in self._pipelines.values() if site in (None, item.site))
        return sorted(chosen, key=lambda item: (item.started_at, item.id), reverse=True)


def _none(site: str) -> None:
    del site
