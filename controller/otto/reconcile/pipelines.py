"""Keeps account of what an event makes of each site and zone it concerns, from the fetch to the report.

Nothing is steered from here: the loop does what it does anyway, and stages are closed by what really
happened. A site has one open pipeline at most; a newer event for it takes the place of an unfinished one.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from otto.decide import pipelines as decide
from otto.decide import stages
from otto.model.desired import Desired
from otto.model.domain import is_zone
from otto.model.observed import Applied
from otto.model.pipeline import Event, Pipeline, StageKind, Trigger
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import SiteStatus
from otto.model.zonememory import DesiredZone
from otto.reconcile import events, turns
from otto.reconcile.contentlook import ContentLook
from otto.reconcile.kit import Kit
from otto.reconcile.pipelinebook import PipelineBook, Reporter
from otto.reconcile.recorder import run_id
from otto.telemetry.redaction import Redactor

log = structlog.get_logger("otto.pipeline")

Listener = Callable[[Pipeline], None]
_AGAIN = "taken up again"


@dataclass
class _Open:
    """An unfinished pipeline.

    Attributes:
        record: as it stands.
        fresh: whether what is read of the site now is as new as its event.
        heard: whether the turn under way is about it.
        status: what was last said of the site since then.
    """

    record: Pipeline
    fresh: bool = False
    heard: bool = False
    status: SiteStatus | None = None


class Pipelines:
    """All pipelines of this controller.

    Args:
        kit: the ports; their bus and turns are listened to.

    Attributes:
        reporters: whoever tells others of decided pipelines; each is asked in turn.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._open: dict[str, _Open] = {}
        self._ended: dict[str, Pipeline] = {}
        self._listeners: list[Listener] = []
        self._redactor = Redactor()
        self.reporters: list[Reporter] = []
        self._book = PipelineBook(kit, self.reporters, self._told)
        self._content = ContentLook(kit, self._found)
        kit.bus.subscribe(self._happened)
        kit.turns.subscribe(self._turned)

    def subscribe(self, listener: Listener) -> None:
        """Have a listener hear of every change of a pipeline; it must be quick and must not raise."""
        self._listeners.append(listener)

    def unfinished(self) -> frozenset[str]:
        """Sites that have a pipeline under way."""
        return frozenset(self._open)

    async def recover(self) -> None:
        """Close what a killed controller left open. What is still wanted is taken up again by its site."""
        self._ended = await self._book.recover()

    async def run(self) -> None:
        """Write, look through content and report, until cancelled; what was decided by then is written."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._book.run(), name="pipeline book")
            group.create_task(self._content.run(), name="content look")

    async def written(self) -> None:
        """Return when all that happened so far is in the store."""
        await self._book.flush()

    def open(
        self,
        event: Event,
        sites: Iterable[str],
        *,
        moved: bool = False,
        problems: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[Pipeline, ...]:
        """Open one pipeline for each site that an event concerns.

        To be called before the sites are made due, or at once after, in one go.

        Args:
            event: what happened.
            sites: names.
            moved: whether what the event tells of was read already, by a turn that may be under way.
            problems: site -> what is wrong with its spec; such a pipeline ends at once.
        """
        found = tuple(self._opened(event, site, moved=moved) for site in sorted(set(sites)))
        for site, lines in (problems or {}).items():
            if site in self._open and lines:
                more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
                self._refuse(self._open[site], f"{lines[0]}{more}", lines)
        if found:
            log.info(
                "pipeline.opened",
                trigger=event.trigger.value,
                sites=[item.site for item in found[:20]],
                count=len(found),
                commit=event.commit,
                deliveries=event.deliveries,
            )
        return found

    def refuse(self, event: Event, sites: Iterable[str], message: str, lines: Sequence[str]) -> None:
        """Keep account of an event that nothing may come of; what is under way goes on.

        Args:
            event: what happened.
            sites: names of the sites it is about.
            message: why nothing comes of it.
            lines: the same in full.
        """
        told, all_of_it = self._redactor.scrub(message), [self._redactor.scrub(line) for line in lines]
        for site in sorted(set(sites)):
            record = decide.opened(run_id(self._now()), site, event)
            self._close(decide.invalid(record, told, all_of_it, self._now()))

    def _opened(self, event: Event, site: str, *, moved: bool) -> Pipeline:
        known = self._open.get(site)
        same = decide.found(known.record, event) if known and moved else None
        if known is not None and same is not None:
            known.fresh = True
            return self._keep(known, same)
        if known is not None and decide.same_event(known.record, event):
            known.fresh = known.fresh or moved
            more = replace(event, deliveries=0) if moved else event
            return self._keep(known, decide.joined(known.record, more))
        self._ended.pop(site, None)
        new = _Open(decide.opened(run_id(self._now()), site, event), fresh=moved)
        if known is not None:
            message = f"something newer came: {new.record.id}"
            self._decide(known, decide.decided(known.record, Outcome.SUPERSEDED, message, self._now()))
        self._open[site] = new
        return self._keep(new, new.record)

    def _turned(self, moment: turns.Moment) -> None:
        match moment:
            case turns.TurnBegan(site=site):
                self._began(site)
            case turns.Wished(desired=desired, applied=applied):
                self._wished(desired, applied)
            case turns.ZoneWished(desired=zone, last=last):
                self._zone_wished(zone, last)
            case turns.Unresolved():
                self._unresolved(moment)
            case turns.RunEnded(run=run):
                self._run_ended(run)
            case turns.TurnEnded(site=site):
                self._turn_ended(site)

    def _happened(self, event: events.Event) -> None:
        match event:
            case events.StepChanged(run=run, step=step):
                self._stepped(run, step)
            case events.StatusChanged(status=status):
                item = self._open.get(status.site)
                if item is not None and item.heard:
                    item.status = status
            case events.StepProgress(site=site, step=step_name, progress=progress):
                item = self._open.get(site)
                if item is not None and item.record.run:
                    kind = decide.stage_of(step_name)
                    line = f"{progress.host}: {progress.message}" if progress.host else progress.message
                    self._keep(item, stages.with_line(item.record, kind, self._redactor.scrub(line)))
            case events.SiteGone(site=site):
                item = self._open.get(site)
                self._ended.pop(site, None)
                if item is not None and item.heard:
                    self._conclude(item, Outcome.SUCCEEDED, decide.gone(site))

    def _began(self, site: str) -> None:
        item = self._open.get(site)
        if item is not None:
            item.fresh = item.heard = True
            item.status = None

    def _wished(self, desired: Desired, applied: Applied) -> None:
        item = self._open.get(desired.site) or self._taken_up(desired, applied)
        if item is None or not item.fresh:
            return
        item.heard = True
        stale = self._redactor.scrub(self._kit.source.stale(desired.spec.content))
        if stale and decide.wants_newest(item.record):
            self._keep(item, decide.held_at_fetch(item.record, stale))
            return
        summary = f"commit {desired.commit[:12]}, content {desired.content[:12]}"
        known = item.record.digest
        self._keep(item, decide.resolved(item.record, desired.digest, summary, self._now()))
        if known != desired.digest:
            self._content.put(item.record, desired)

    def _zone_wished(self, desired: DesiredZone, last: DesiredZone | None) -> None:
        item = self._open.get(desired.zone) or self._zone_taken_up(desired, last)
        if item is None or not item.fresh:
            return
        item.heard = True
        summary = f"commit {desired.commit[:12]}"
        self._keep(item, decide.resolved(item.record, desired.digest, summary, self._now()))

    def _zone_taken_up(self, desired: DesiredZone, last: DesiredZone | None) -> _Open | None:
        """A pipeline for a spec of a zone that came without a push we heard of."""
        zone, ended = desired.zone, self._ended.get(desired.zone)
        if ended is not None and decide.still_wanted(ended, desired.digest, desired.commit):
            tried = ended.outcome is Outcome.FAILED and ended.digest
            return None if tried else self._again(ended)
        self._ended.pop(zone, None)
        if not decide.is_other_spec(desired, last):
            return None
        by = self._author(desired.commit) if desired.commit else ""
        return self._begun(zone, Event(Trigger.PUSH, self._now(), by, commit=desired.commit))

    def _unresolved(self, moment: turns.Unresolved) -> None:
        item = self._open.get(moment.site)
        unheard, commit = item is None and moment.site not in self._ended, moment.known.commit
        if unheard and decide.is_news(commit, moment.applied):
            event = Event(Trigger.PUSH, self._now(), self._author(commit), commit=commit)
            item = self._begun(moment.site, event)
        if item is None or not item.fresh:
            return
        stale = self._redactor.scrub(self._kit.source.stale(moment.known.spec.content))
        if stale:
            self._decide(item, decide.unfetched(item.record, stale, self._now()))
        else:
            self._refuse(item, moment.error, moment.detail.splitlines() or [moment.error])

    def _found(self, pipeline: Pipeline, lines: Sequence[str]) -> None:
        """What is wrong with a pipeline's content goes into its log, should it have ended by now too."""
        told = [self._redactor.scrub(line) for line in lines]
        item = self._open.get(pipeline.site)
        if item is not None and item.record.id == pipeline.id:
            self._keep(item, stages.with_lines(item.record, StageKind.VALIDATE, told))
        else:
            self._book.add(pipeline.id, StageKind.VALIDATE, told)

    def _taken_up(self, desired: Desired, applied: Applied) -> _Open | None:
        """A pipeline for a wish that came without an event we heard of: the controller was not there."""
        site, ended = desired.site, self._ended.get(desired.site)
        if ended is not None and decide.still_wanted(ended, desired.digest, desired.commit):
            if ended.outcome is Outcome.FAILED and ended.digest:
                return None  # it is taken up when a run tries it again
            return self._again(ended)
        self._ended.pop(site, None)
        event = decide.behind(desired, applied, self._now())
        if event is None:
            return None
        return self._begun(site, replace(event, by=self._author(event.commit) if event.commit else ""))

    def _begun(self, site: str, event: Event) -> _Open:
        """A pipeline of what happened while nobody listened."""
        item = self._open[site] = _Open(decide.opened(run_id(self._now()), site, event), fresh=True)
        log.info("pipeline.opened", trigger=event.trigger.value, sites=[site], count=1, commit=event.commit)
        return item

    def _again(self, ended: Pipeline) -> _Open:
        self._ended.pop(ended.site, None)
        record = decide.reopened(ended, _AGAIN, self._now())
        item = self._open[ended.site] = _Open(record, fresh=True, heard=True)
        log.info("pipeline.reopened", pipeline=ended.id, site=ended.site, before=ended.outcome.value)
        return item

    def _stepped(self, run: Run, step: StepRecord) -> None:
        item, ended = self._open.get(run.site), self._ended.get(run.site)
        if item is None and ended is not None and ended.digest and ended.digest == run.digest:
            item = self._again(ended)
        if item is None or not item.heard or not decide.concerns(item.record, run.digest, step.kind):
            return
        scrubbed = replace(step, summary=self._redactor.scrub(step.summary))
        self._keep(item, decide.with_step(item.record, run.id, scrubbed, self._now()))

    def _run_ended(self, run: Run) -> None:
        item = self._open.get(run.site)
        if item is None or item.record.run != run.id:
            return
        message = self._redactor.scrub(run.message)
        if run.outcome is Outcome.WAITING:
            self._keep(item, decide.waiting(item.record, message))
        elif run.outcome is Outcome.FAILED:
            self._conclude(item, Outcome.FAILED, message)
        elif run.outcome is Outcome.SUCCEEDED and item.record.digest and not is_zone(run.site):
            # What stands in a zone's way makes none of its runs fail: its status tells.
            self._conclude(item, Outcome.SUCCEEDED, message or _verified(item.record))

    def _turn_ended(self, site: str) -> None:
        item = self._open.get(site)
        if item is None or not item.heard or item.status is None:
            return
        outcome, message = decide.outcome_of_turn(item.record, item.status)
        if outcome is Outcome.SUCCEEDED and item.record.run and is_zone(site):
            message = _verified(item.record)
        message = self._redactor.scrub(message)
        if outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
            self._conclude(item, outcome, message)
        elif outcome is Outcome.WAITING and not (
            item.record.outcome is Outcome.WAITING and item.record.message
        ):
            self._keep(item, decide.waiting(item.record, message))

    def _refuse(self, item: _Open, message: str, lines: Sequence[str]) -> None:
        told, all_of_it = self._redactor.scrub(message), [self._redactor.scrub(line) for line in lines]
        self._decide(item, decide.invalid(item.record, told, all_of_it, self._now()))

    def _conclude(self, item: _Open, outcome: Outcome, message: str) -> None:
        self._decide(item, decide.decided(item.record, outcome, message, self._now()))

    def _decide(self, item: _Open, record: Pipeline) -> None:
        """Let go of a pipeline whose outcome is final; it ends when it was reported."""
        self._open.pop(record.site, None)
        if record.outcome is Outcome.FAILED:
            self._ended[record.site] = record
        item.record = record
        self._close(record)

    def _close(self, record: Pipeline) -> None:
        seconds = (self._now() - record.started_at).total_seconds()
        self._kit.metrics.pipeline_ended(
            record.event.trigger.value, record.outcome.value, seconds, record.run
        )
        log.info(
            "pipeline.decided",
            pipeline=record.id,
            site=record.site,
            outcome=record.outcome.value,
            seconds=round(seconds, 3),
            message=record.message,
        )
        self._told(record)
        self._book.report(record)

    def _keep(self, item: _Open, record: Pipeline) -> Pipeline:
        if record != item.record or not self._book.knows(record.id):
            item.record = record
            self._told(record)
            self._book.write(record)
        return record

    def _told(self, record: Pipeline) -> None:
        for listener in tuple(self._listeners):
            listener(record)

    def _author(self, commit: str) -> str:
        return self._redactor.scrub(self._kit.source.author(commit))

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _verified(record: Pipeline) -> str:
    stage = stages.stage_in(record, StageKind.VERIFY)
    return stage.summary if stage and stage.summary else "done"
