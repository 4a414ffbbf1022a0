"""What failed is to be taken back, and what it goes back to is not to be had any more."""

from otto.model.errors import TerminalError
from otto.model.pipeline import StageKind
from otto.model.rollout import RolloutState
from otto.model.run import Outcome
from otto.model.spec import Check
from otto.model.strategy import Amount, Rollout, Strategy
from otto.testing import site_spec

from .stage import Stage, told, web

GONE = TerminalError("no repository holds the content 4c21", mend="push the commit that holds it")
BAD = "<h1>It fails</h1>"


async def test_a_way_back_that_is_gone_is_told_on_the_site_and_the_rest_is_left_as_it_was(
    stage: Stage,
) -> None:
    rollout = Rollout(Strategy.ROLLING, Amount(1), Amount(1), soak=1.0)
    stage.world.push(site_spec("one", web=web(3), checks=(Check("/", contains="It works"),), rollout=rollout))
    async with stage.controller().running():
        await stage.calm(10)
        before = (await stage.status("one")).digest
        gate = stage.world.configuration.failures.hold("deploy")
        stage.world.push(files={"sites/one/index.html": BAD})
        await told(stage)
        stage.world.source.failures.always("archive", GONE)
        gate.open()
        await stage.calm(60)
        status = await stage.status("one")
        (pipeline, *_) = await stage.world.store.pipelines.pipelines("one")
        content = {host.name: host.content for host in stage.world.hosts if host.role.value == "web"}
        runs = len(await stage.world.store.runs("one", 100))
        await stage.calm(120)
        assert len(await stage.world.store.runs("one", 100)) <= runs + 1  # it is not tried again and again
        stage.world.source.failures.stop("archive")
        stage.world.push(files={"sites/one/index.html": "<h1>It works again</h1>"})
        await told(stage)
        await stage.calm(60)
        mended = await stage.status("one")
    assert GONE.message in status.message
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.STUCK
    assert GONE.message in status.rollout.reason
    assert (status.digest, status.failures > 0) == (before, True)
    assert len({content["one-web-2"], content["one-web-3"]}) == 1
    assert content["one-web-1"] != content["one-web-2"]
    assert (pipeline.outcome, "It works" in pipeline.message) == (Outcome.FAILED, True)
    assert pipeline.furthest is not None
    assert pipeline.furthest.kind is StageKind.DEPLOY
    assert mended.ready
