"""What events made of sites, stage by stage."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.pipeline import Pipeline

if TYPE_CHECKING:
    from otto.ports import PipelineRecords

MOST = 1000
"""Pipelines that may be asked for at once."""


@dataclass(frozen=True, slots=True)
class SeePipelines(Question[tuple[Pipeline, ...]]):
    """The newest pipelines, newest first, of a site or of all."""

    word: ClassVar = "pipelines"
    scope: ClassVar = Scope.READ

    site: str | None = None
    limit: int = 20

    async def answer(self, house: House) -> tuple[Pipeline, ...]:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        if not 0 < self.limit <= MOST:
            raise UsageError(f"{self.limit} is no number of pipelines to ask for", mend=f"1 to {MOST}")
        async with house.store() as store:
            found = await store.pipelines.pipelines(self.site, self.limit)
            if self.site is not None and not found:
                await names.require_known(self.site, store)
            return found


@dataclass(frozen=True, slots=True)
class SeePipeline(Question[Pipeline]):
    """One pipeline, by its id or the beginning of it."""

    word: ClassVar = "pipeline"
    scope: ClassVar = Scope.READ

    id: str

    async def answer(self, house: House) -> Pipeline:
        """See `Question`.

        Raises:
            UsageError: none fits, or several do.
        """
        async with house.store() as store:
            return await _fitting(store.pipelines, self.id)


async def _fitting(records: "PipelineRecords", identity: str) -> Pipeline:
    exact = await records.pipeline(identity)
    if exact is not None:
        return exact
    found = [item for item in await records.pipelines(limit=MOST) if item.id.startswith(identity)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(item.id for item in found[:5])
        raise UsageError(f"{identity[:40]!r} fits {len(found)} pipelines", mend=f"give more of it: {ids}")
    raise UsageError(f"there is no pipeline {identity[:40]!r}", mend="otto pipelines lists them")


@dataclass(frozen=True, slots=True)
class StartPipeline(Question[str]):
    """Have a running controller fetch a site's repositories, look at it and verify it; the pipeline's id."""

    word: ClassVar = "pipeline-run"
    scope: ClassVar = Scope.OPERATE
    patience: ClassVar = 75.0  # it starts with a fetch: longer than one may take

    site: str
    by: str | None = None

    async def answer(self, house: House) -> str:
        """See `Question`.

        Raises:
            TransientError: no controller is running.
            UsageError: there is no such site.
        """
        from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

        who = house.speaker(self.by)
        await house.require_seen(self.site)
        async with house.store() as store:
            await names.require_known(self.site, store)
            await intents.run_pipeline(store, self.site, who)
        return await house.start_pipeline(self.site, who.name)
