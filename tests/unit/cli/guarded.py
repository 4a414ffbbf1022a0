"""A site that the guard holds up, without the loop that would have come to it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from tests.unit.cli.conftest import Stage

from otto.model.canonical import to_data
from otto.model.catalogue import RememberedSpec
from otto.model.history import AuditEntry, Grant, GrantKind
from otto.model.observed import Applied
from otto.model.policy import Policy
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import Effect, Reason
from otto.testing import site_spec

PLAN = "1a2b3c" + "4" * 58
ASK = Reason("guard.replace", "the plan would replace acme-web-1", "otto approve acme 1a2b3c")
WAIT = Reason("guard.window", "no change before 22:00", "otto override acme", Effect.WAIT)
REFUSE = Reason("guard.protect", "acme is protected", "take policy.protect out first", Effect.REFUSE)
REJECTED = Reason("guard.rejected", "bob rejected the plan", "", Effect.REFUSE)


@dataclass
class Guarded:
    """A stage with a site, and what a test wants to say and see of it."""

    stage: Stage

    def knows(self, site: str = "acme", policy: Policy | None = None, phase: Phase = Phase.READY) -> None:
        """OttO knows a site."""
        (self.stage.home / "otto.db").touch()
        spec = site_spec(site, policy=policy or Policy())
        store = self.stage.world.store
        asyncio.run(store.remember([RememberedSpec(spec, "c0ffee")]))
        asyncio.run(store.save_status(SiteStatus(site, phase, self.now)))

    def holds(
        self,
        verdict: str = "NeedsApproval",
        reasons: tuple[Reason, ...] = (ASK,),
        behind: tuple[Reason, ...] = (),
        wanted: int = 1,
        plan: str = PLAN,
        *,
        now_written: bool = True,
    ) -> None:
        """The guard holds acme's plan up; what an older OttO wrote leaves the plan out of the status."""
        self.stage.world.clock.move(1)
        now = self.now
        detail: dict[str, object] = {
            "verdict": verdict,
            "reasons": to_data(reasons),
            "behind": to_data(behind),
            "given": 0,
            "wanted": wanted,
            "digest": plan,
        }
        steps = (
            StepRecord("plan", now, now, Outcome.SUCCEEDED, summary="provision (1 replace)"),
            StepRecord("guard", now, now, Outcome.WAITING, detail=detail),
        )
        run = Run(f"r-{now.timestamp():.0f}", "acme", "look", now, plan=plan, steps=steps)
        store = self.stage.world.store
        asyncio.run(store.save_run(run.ended(now, Outcome.WAITING, "waits")))
        stopped = Condition(ConditionType.ALLOWED, Truth.FALSE, verdict, "held up", now)
        held = tuple(item for item in (*reasons, *behind) if isinstance(item, Reason))
        status = SiteStatus("acme", Phase.AWAITING_APPROVAL, now, plan=plan, held=held, held_since=now)
        status = status.with_condition(stopped) if now_written else replace(status, plan="", held=())
        asyncio.run(store.save_status(status))

    def born(self, at: datetime) -> None:
        """Acme's first host was made then."""
        asyncio.run(self.stage.world.store.save_applied("acme", Applied(born=at)))

    def grant(self, grant: Grant) -> None:
        """Somebody said something before."""
        asyncio.run(self.stage.world.ledger.grant(grant))

    @property
    def now(self) -> datetime:
        """The time."""
        return self.stage.world.clock.now()

    def grants(self, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What is kept of what people said."""
        return asyncio.run(self.stage.world.ledger.grants(kind=kind))

    @property
    def entries(self) -> list[AuditEntry]:
        """The audit record."""
        return [record.entry for record in self.stage.world.ledger.log]

    def refuses(self, told: str, *words: str, status: int = 1, typed: str | None = None) -> None:
        """A command is one clear error, and changes nothing."""
        before = (self.grants(), self.entries)
        result = self.stage.otto(*words, typed=typed)
        assert result.exit_code == status, result.output
        assert told in " ".join(result.stderr.replace("│", " ").split()), result.stderr
        assert "Traceback" not in result.output
        assert (self.grants(), self.entries) == before

    def says(self, *words: str, typed: str | None = None) -> str:
        """A command succeeds; what it says."""
        result = self.stage.otto(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout
