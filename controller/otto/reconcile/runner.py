"""One run over one site, recorded from its beginning to its end whatever happens in it."""

import asyncio

import structlog

from otto.model.errors import WaitingError
from otto.model.run import Outcome, Run
from otto.reconcile.converge import Converger
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit
from otto.reconcile.look import Ending, Look, SupersededError
from otto.reconcile.recorder import Recorder, run_id

log = structlog.get_logger("otto.reconcile")


class Runner:
    """Carries out runs, and sees to it that each has an end on record."""

    def __init__(self, kit: Kit, converger: Converger, gate: Gatekeeper) -> None:
        self._kit = kit
        self._gate = gate
        self._converger = converger
        self._recorders: dict[str, Recorder] = {}

    async def write_end(self, site: str) -> None:
        """Have the store take the end of the site's last run, if it did not when it came."""
        if last := self._recorders.get(site):
            if not last.written:
                await last.write()
            del self._recorders[site]

    async def run(self, look: Look, cause: str) -> tuple[Ending, Run]:
        """Run the steps that a look asks for: how it ended, and its record.

        Raises:
            SupersededError: something newer came; the record says so.
            OttoError: a step failed; so does the record.
        """
        desired, now = look.desired, self._kit.clock.now()
        run = Run(run_id(now), desired.site, cause, now, desired.commit, desired.digest)
        recorder = self._recorders[desired.site] = Recorder(self._kit, run)
        with structlog.contextvars.bound_contextvars(
            run=run.id, commit=desired.commit, digest=desired.digest[:12]
        ):
            log.info("run.started", cause=cause, differences=len(look.differences))
            ending = await self._recorded(look, recorder)
            if ending.outcome is Outcome.SUCCEEDED:
                await self._gate.used(desired.site, recorder.run.plan)
            await recorder.end(ending.outcome, ending.error or ending.waiting)
        return ending, recorder.run

    async def _recorded(self, look: Look, recorder: Recorder) -> Ending:
        try:
            return await self._converger.converge(look, recorder)
        except SupersededError:
            await recorder.end(Outcome.SUPERSEDED, "something newer came; starting over from it")
            raise
        except asyncio.CancelledError:
            await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
            raise
        except Exception as error:
            outcome = Outcome.WAITING if isinstance(error, WaitingError) else Outcome.FAILED
            await recorder.give_up(outcome, str(error))
            raise
