"""What records of pipelines do, whichever they are: in memory or in a database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from otto.adapters.store import open_store
from otto.model.pipeline import Event, Pipeline, Stage, StageKind, Trigger
from otto.model.run import Outcome
from otto.ports import PipelineRecords
from otto.testing import FakeClock, MemoryPipelines

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

MakeRecords = Callable[..., PipelineRecords]


@pytest.fixture(params=["memory", "sqlite"])
async def make_records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakeRecords]:
    async with AsyncExitStack() as opened:

        def one(keep: int = 200) -> PipelineRecords:
            if request.param == "memory":
                return MemoryPipelines(keep=keep)
            store = open_store(tmp_path / "otto.db", FakeClock(), keep_runs=keep)
            opened.push_async_callback(store.close)
            return store.pipelines

        yield one


@pytest.fixture
def records(make_records: MakeRecords) -> PipelineRecords:
    return make_records()


def pipeline(number: int, site: str = "acme", *, ended: bool = True) -> Pipeline:
    at = AT + timedelta(seconds=number)
    event = Event(Trigger.CONTENT, at, "ada\n\u202e", "https://git.example/a", "main", "c" * 40, 3)
    stage = Stage(StageKind.FETCH, at, at, Outcome.SUCCEEDED, "fetched", ("line 1", "line 2"))
    made = Pipeline(f"{number:04}", site, event, at, "d" * 64, "run", stages=(stage,))
    return replace(made, ended_at=at, outcome=Outcome.SUCCEEDED, message="done") if ended else made


async def test_new_records_hold_nothing(records: PipelineRecords) -> None:
    assert await records.pipeline("0001") is None
    assert await records.pipelines() == ()
    assert await records.open() == ()
    await records.save()
    assert await records.pipelines("acme") == ()


async def test_pipelines_come_newest_first(records: PipelineRecords) -> None:
    await records.save(pipeline(2), pipeline(1))
    await records.save(pipeline(3))
    await records.save(pipeline(4, "other"))
    assert [one.id for one in await records.pipelines()] == ["0004", "0003", "0002", "0001"]
    assert [one.id for one in await records.pipelines("acme")] == ["0003", "0002", "0001"]
    assert [one.id for one in await records.pipelines("acme", limit=1)] == ["0003"]
    assert await records.pipeline("0002") == pipeline(2)


async def test_a_pipeline_is_replaced_by_what_became_of_it(records: PipelineRecords) -> None:
    await records.save(pipeline(1, ended=False), pipeline(2, ended=False))
    assert [one.id for one in await records.open()] == ["0002", "0001"]
    await records.save(pipeline(1))
    assert await records.open() == (pipeline(2, ended=False),)
    assert await records.pipeline("0001") == pipeline(1)
    await records.save(pipeline(1, ended=False))
    assert len(await records.open()) == 2


async def test_history_is_kept_to_so_many_ended_pipelines_of_each_site(make_records: MakeRecords) -> None:
    records = make_records(keep=3)
    await records.save(pipeline(0, ended=False))
    for number in range(1, 7):
        await records.save(pipeline(number), pipeline(100 + number, "other"))
    assert [one.id for one in await records.pipelines("acme")] == ["0006", "0005", "0004", "0000"]
    assert [one.id for one in await records.pipelines("other")] == ["0106", "0105", "0104"]
