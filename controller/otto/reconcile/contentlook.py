"""A look through content that is deployed whatever is wrong with it: told in its pipeline's log.

Nothing waits for it. What may not be deployed while it is broken was looked through before.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog

from otto.decide.content.telling import lines
from otto.model.desired import Desired
from otto.model.inspection import Validation
from otto.model.pipeline import Pipeline
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.pipeline")

# Pipelines whose content waits to be looked through; of more than these, the oldest are left out.
_MOST = 10_000

Tell = Callable[[Pipeline, Sequence[str]], None]


class ContentLook:
    """Looks through the content of one pipeline after the other.

    Args:
        kit: the ports.
        tell: is told what was found, line by line.
    """

    def __init__(self, kit: Kit, tell: Tell) -> None:
        self._kit = kit
        self._tell = tell
        self._waiting: OrderedDict[str, tuple[Pipeline, Desired]] = OrderedDict()
        self._stirred = asyncio.Event()

    def put(self, pipeline: Pipeline, desired: Desired) -> None:
        """Have a pipeline's content looked through, if its spec wants that."""
        if desired.spec.content.validate is Validation.IGNORE:
            return
        self._waiting[pipeline.id] = (pipeline, desired)
        if len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)
        self._stirred.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._waiting:
                _, (pipeline, desired) = self._waiting.popitem(last=False)
                await self._look(pipeline, desired)

    async def _look(self, pipeline: Pipeline, desired: Desired) -> None:
        try:
            found = await self._kit.source.inspect(desired.content, desired.spec.domains)
            told: Sequence[str] = tuple(lines(desired.spec.content, found))
        except Exception as error:  # noqa: BLE001  (told; no pipeline hangs on it)
            told = (f"content: it could not be looked through: {error or type(error).__name__}",)
            log.warning("pipeline.unlooked", pipeline=pipeline.id, site=pipeline.site, error=told[0])
        self._tell(pipeline, told)
