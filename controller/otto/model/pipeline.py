"""A pipeline: what one event made of one site, stage by stage, kept as a record."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from otto.model.run import Outcome


class Trigger(StrEnum):
    """What started it."""

    PUSH = "push"  # to the spec repository
    CONTENT = "content"  # to the branch of a content repository
    IMAGE = "image"  # a channel points at another image
    SCHEDULE = "schedule"
    API = "api"  # a person, by command or request


class StageKind(StrEnum):
    """The stages, in their order."""

    FETCH = "fetch"
    VALIDATE = "validate"
    DEPLOY = "deploy"
    VERIFY = "verify"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        kind: which.
        started_at: when it began.
        ended_at: None while it goes on.
        outcome: how it ended.
        summary: one line for people.
        log: what it said, line by line, secrets removed, shortened.
    """

    kind: StageKind
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    summary: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What started a pipeline.

    Attributes:
        trigger: what kind of event.
        at: when it reached us.
        by: who caused it, as far as is known: a commit's author, the name of a webhook's sender.
        repository: address of the repository concerned, without credentials, "" for the spec repository.
        ref: branch, tag or channel.
        commit: the commit, or the digest of an image.
        deliveries: how many deliveries were taken together.
    """

    trigger: Trigger
    at: datetime
    by: str = ""
    repository: str = ""
    ref: str = ""
    commit: str = ""
    deliveries: int = 1


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The record of one event over one site; `run` names the run that deployed it, "" while there is none."""

    id: str
    site: str
    event: Event
    started_at: datetime
    digest: str = ""
    run: str = ""
    ended_at: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    message: str = ""
    stages: tuple[Stage, ...] = field(default_factory=tuple)

    @property
    def furthest(self) -> Stage | None:
        """The stage it came to, the report on it apart."""
        return next((item for item in reversed(self.stages) if item.kind is not StageKind.REPORT), None)

    def with_stage(self, stage: Stage) -> "Pipeline":
        """A copy that holds this stage, in place of one of its kind."""
        if any(item.kind is stage.kind for item in self.stages):
            stages = tuple(stage if item.kind is stage.kind else item for item in self.stages)
        else:
            stages = (*self.stages, stage)
        return replace(self, stages=stages)
