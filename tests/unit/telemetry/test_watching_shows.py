"""Watching a site shows in the metrics while nothing has to be done to it."""

import asyncio
from contextlib import nullcontext
from pathlib import Path

from otto.config import LoopSettings, SourceSettings
from otto.reconcile.controller import Controller
from otto.telemetry.metrics import Metrics
from otto.testing import World, settle, site_spec


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_every_tier_counts_its_looks_and_shows_how_long_ago_the_last_was(tmp_path: Path) -> None:
    world = World()
    world.push(site_spec())
    kit = world.kit(LoopSettings(workers=2, verifyDeadline=1.0))
    controller = Controller(kit, tmp_path, SourceSettings(), lambda _: nullcontext(world.source))
    await controller.start()
    task = asyncio.create_task(controller.run())
    for _ in range(20):
        await settle()
    await world.clock.advance(100)
    metrics = kit.metrics
    assert value(metrics, "otto_site_ready", site="acme") == 1
    for tier, settings in (("probes", kit.probes), ("facts", kit.facts)):
        longest = settings.interval * (1 + settings.jitter) + 0.1
        age = value(metrics, "otto_tier_observed_age_seconds", site="acme", tier=tier)
        assert age is not None
        assert age <= longest, tier
        looks = value(metrics, "otto_observations_total", tier=tier, result="succeeded")
        assert looks is not None
        assert looks >= 100 // longest - 1, tier
        assert value(metrics, "otto_observations_total", tier=tier, result="failed") == 0
    assert value(metrics, "otto_provider_event_stream_up") == 1
    assert value(metrics, "otto_orphan_hosts") == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
