"""A site that is changed server by server, and what is seen of that."""

from otto.decide import steering
from otto.model.policy import Limits, Policy
from otto.model.rollout import RolloutStatus
from otto.model.run import Run
from otto.model.saying import Saying, Speaker
from otto.model.spec import SiteSpec
from otto.model.strategy import Rollout
from otto.testing import World, site_spec

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


async def word(what: str, world: World, site: str, who: Speaker) -> Saying:
    """What somebody says to a rollout, as `otto rollout` works it out.

    Raises:
        UsageError: it cannot be said now.
    """
    status, applied = await world.store.rollout(site), await world.store.applied(site)
    grants = await world.ledger.grants(site=site)
    match what:
        case "pause":
            return steering.pause(site, grants, who, "wait")
        case "resume":
            return steering.resume(site, status, applied, grants, who, reason="")
        case "abort":
            return steering.abort(site, status, applied, who, "no")
        case _:
            return steering.undo(site, status, applied, grants, who, reason="no")


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
