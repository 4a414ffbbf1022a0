"""What a forge was told of a pipeline, for the pipeline's own record."""

from otto.model.canonical import short
from otto.model.forge import CommitState, CommitStatus
from otto.model.pipeline import Pipeline
from otto.ports import Clock
from otto.reconcile.reporting.outbox import Outbox
from otto.reconcile.reporting.reporter import Reporter

_GLANCE = 1.0
# Seconds in which a site says how it fares after its pipeline came to an end.
_PATIENCE = 20


class Receipts:
    """Waits until the last word on a pipeline's commit was told.

    Args:
        clock: the time.
        reporter: tells.
        outbox: what waits to be told.
    """

    def __init__(self, clock: Clock, reporter: Reporter, outbox: Outbox) -> None:
        self._clock = clock
        self._reporter = reporter
        self._outbox = outbox

    async def report(self, pipeline: Pipeline) -> str:
        """The word that the forge has, in one line; "" when it has none.

        Raises:
            TerminalError: it would not take it.
        """
        word = await self._last(pipeline)
        if word is None:
            return ""
        await self._outbox.settled(f"{word.repository} {word.commit} {word.context}")
        target = f", {word.target}" if word.target and word.target not in word.description else ""
        where = f"{word.repository}, commit {short(word.commit, 12)}"
        return f"{where}: {word.context}: {word.state.value}: {word.description}{target}"

    async def _last(self, pipeline: Pipeline) -> CommitStatus | None:
        word = None
        for _ in range(_PATIENCE):
            await self._clock.sleep(_GLANCE)
            word = self._reporter.word(pipeline)
            if word is None or word.state is not CommitState.PENDING:
                break
        return word
