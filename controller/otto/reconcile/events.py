"""What happens, told to whoever listens inside this process: the live table, the API, tests."""

from collections.abc import Callable
from dataclasses import dataclass

from otto.model.canonical import to_data
from otto.model.progress import Progress
from otto.model.run import Run, StepRecord
from otto.model.status import SiteStatus


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A site has a new status."""

    status: SiteStatus


@dataclass(frozen=True, slots=True)
class StepChanged:
    """A step of a run began or ended."""

    run: Run
    step: StepRecord


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Something happened inside a step."""

    site: str
    step: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class SiteGone:
    """A site was forgotten."""

    site: str


Event = StatusChanged | StepChanged | StepProgress | SiteGone
Listener = Callable[[Event], None]


class Bus:
    """Hands every event to every listener, in order. Listeners must be quick and must not raise."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; calling what comes back takes it out again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Hand out an event."""
        for listener in tuple(self._listeners):
            listener(event)


def event_document(event: Event) -> dict[str, object]:
    """An event as plain data."""
    match event:
        case StatusChanged(status=status):
            return {
                "event": "status",
                "phase": status.phase.value,
                "ready": status.ready,
                "message": status.message,
                "endpoints": [to_data(endpoint) for endpoint in status.endpoints],
            }
        case StepChanged(run=run, step=step):
            return {
                "event": "step",
                "run": run.id,
                "step": step.kind,
                "outcome": step.outcome.value,
                "hosts": list(step.hosts),
                "summary": step.summary,
            }
        case StepProgress(step=step_name, progress=progress):
            return {
                "event": "progress",
                "step": step_name,
                "message": progress.message,
                "done": progress.done,
                "total": progress.total,
                "host": progress.host,
            }
        case SiteGone():
            return {"event": "gone"}


def site_of(event: Event) -> str:
    """The site that an event concerns."""
    match event:
        case StatusChanged(status=status):
            return status.site
        case StepChanged(run=run):
            return run.site
        case StepProgress(site=site) | SiteGone(site=site):
            return site
