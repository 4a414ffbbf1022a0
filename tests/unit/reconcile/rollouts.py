"""A site that is changed server by server, and what is seen of that."""

from otto.model.policy import Limits, Policy
from otto.model.rollout import RolloutStatus
from otto.model.run import Run
from otto.model.spec import SiteSpec
from otto.model.strategy import Rollout
from otto.testing import site_spec

from .stage import Stage, told, web

STEPS = Rollout(soak=1.0)
WORKS = "<h1>It works</h1>"
STILL = "<h1>It works still</h1>"
BAD = "<h1>It fails</h1>"
WIDE = Limits(count=99, share=1.0, window_count=99, reason="a test")
FREE = Policy("auto", limits=WIDE)


def rolling(count: int = 3, *, rollout: Rollout = STEPS, **changes: object) -> SiteSpec:
    return site_spec("one", web=web(count), rollout=rollout, **changes)


def moments(run: Run) -> list[tuple[str, tuple[str, ...]]]:
    """The steps of a run that belong to its rollout."""
    kinds = ("set-aside", "provision", "configure", "deploy", "try", "return", "soak")
    return [(step.kind, tuple(name[-1] for name in step.hosts)) for step in run.steps if step.kind in kinds]


async def content(stage: Stage, text: str) -> None:
    stage.world.push(files={"sites/one/index.html": text})
    await told(stage)


async def served(stage: Stage) -> dict[str, str]:
    """What every web server says, by the last digit of its name."""
    pages = {
        host.name: stage.world.source.files(host.revision)["index.html"].decode()
        for host in stage.world.hosts
        if host.role.value == "web" and host.revision
    }
    return {name[-1]: page for name, page in pages.items()}


async def rollout(stage: Stage, site: str = "one") -> RolloutStatus:
    return await stage.world.store.rollout(site)


async def until(stage: Stage, moment: str, name: str) -> None:
    """Let time pass until that is being done to a server."""
    for _ in range(1000):
        status = await rollout(stage)
        if (status.moment, status.current) == (moment, (name,)):
            return
        await stage.world.clock.advance(0.05)
    raise AssertionError(f"{name} never came to {moment}")
