"""A run's id joins log lines, history, status and exemplars."""

import asyncio
import io
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from otto.config import LoopSettings, SourceSettings
from otto.model.errors import TransientError
from otto.reconcile.controller import Controller
from otto.telemetry.logs import configure
from otto.testing import World, settle, site_spec

INSIDE = {"site", "run", "commit", "digest"}


async def lived(world: World, home: Path) -> tuple[list[dict[str, Any]], Controller]:
    """What a controller logs from its start until nothing more is to be done."""
    stream = io.StringIO()
    kit = world.kit(LoopSettings(workers=2, verifyDeadline=1.0))
    controller = Controller(kit, home, SourceSettings(), lambda _: nullcontext(world.source))
    with configure(style="json", level="debug", stream=stream):
        await controller.start()
        task = asyncio.create_task(controller.run())
        for _ in range(40):
            await settle()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return [json.loads(line) for line in stream.getvalue().splitlines()], controller


def of_runs(lines: list[dict[str, Any]], site: str) -> list[dict[str, Any]]:
    """Lines of a site from the beginning of a run to its end."""
    found, inside = [], False
    for line in lines:
        if line.get("site") != site:
            continue
        inside = inside or line["event"] == "run.started"
        if inside:
            found.append(line)
        inside = inside and line["event"] != "run.finished"
    return found


@pytest.fixture
def world() -> World:
    world = World()
    world.push(site_spec(), site_spec("shop"))
    return world


async def test_every_line_of_a_run_says_whose_it_is(world: World, tmp_path: Path) -> None:
    lines, _ = await lived(world, tmp_path)
    for site in ("acme", "shop"):
        inside = of_runs(lines, site)
        assert len(inside) > 10
        assert [line["event"] for line in inside if not line.keys() >= INSIDE] == []
        assert len({line["run"] for line in inside}) == 1


async def test_what_happens_in_a_step_names_the_step(world: World, tmp_path: Path) -> None:
    lines, _ = await lived(world, tmp_path)
    step = ""
    named = []
    for line in of_runs(lines, "acme"):
        step = line["step"] if line["event"] == "step.started" else step
        if step:
            assert line.get("step") == step, line["event"]
            named.append(line["event"])
        step = "" if line["event"] == "step.finished" else step
    assert "step.progress" in named


async def test_a_run_that_fails_is_told_with_its_id_to_the_end(world: World, tmp_path: Path) -> None:
    world.configuration.failures.always("configure", TransientError("no way in"))
    lines, _ = await lived(world, tmp_path)
    (finished,) = [line for line in lines if line["event"] == "run.finished" and line["site"] == "acme"]
    assert finished["outcome"] == "failed"
    assert finished.keys() >= INSIDE


async def test_log_history_status_and_exemplars_speak_of_one_run(world: World, tmp_path: Path) -> None:
    lines, controller = await lived(world, tmp_path)
    (run,) = await world.store.runs("acme")
    status = await world.store.status("acme")
    assert status is not None
    assert status.run == run.id
    assert {line["run"] for line in of_runs(lines, "acme")} == {run.id}
    body = controller.kit.metrics.render("application/openmetrics-text; version=1.0.0")[0].decode()
    families = text_string_to_metric_families(body)  # type: ignore[no-untyped-call]
    named = {
        (family.name, sample.exemplar.labels["run_id"])
        for family in families
        for sample in family.samples
        if sample.exemplar
    }
    ids = {found.id for site in ("acme", "shop") for found in await world.store.runs(site)}
    assert {found for _, found in named} <= ids
    for family in ("otto_runs", "otto_run_duration_seconds", "otto_step_duration_seconds"):
        assert any(name == family for name, _ in named), family
