"""What kind of notice a verdict is."""

from datetime import UTC, datetime

import pytest

from otto.decide.notices import of_verdict
from otto.model.notice import NoticeKind
from otto.model.plan import Circumstances, Plan
from otto.model.verdict import Allowed, Effect, NeedsApproval, Reason, Refused, Verdict

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def reason(rule: str, effect: Effect = Effect.WARN) -> Reason:
    return Reason(rule, "words", effect=effect)


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Allowed((reason("guard.budget.warn"),)), NoticeKind.BUDGET),
        (Allowed((reason("hook.friday"),)), NoticeKind.WARNING),
        (Refused((reason("guard.budget.site", Effect.REFUSE),)), NoticeKind.BUDGET),
        (Refused((reason("guard.protect", Effect.REFUSE),)), NoticeKind.REFUSED),
        (NeedsApproval((reason("guard.replace", Effect.ASK),)), NoticeKind.APPROVAL),
        (NeedsApproval((reason("guard.drift.flapping", Effect.WAIT),)), NoticeKind.FLAPPING),
    ],
)
def test_the_kind_is_of_what_the_verdict_is_about(verdict: Verdict, kind: NoticeKind) -> None:
    notice = of_verdict(Plan("acme", "", (), Circumstances("lab")), verdict, NOW)
    assert notice is not None
    assert notice.kind is kind
    assert ("budget" in notice.title or "cost" in notice.title) == (kind is NoticeKind.BUDGET)


def test_an_allowed_plan_without_warnings_is_no_notice() -> None:
    assert of_verdict(Plan("acme", "", (), Circumstances("lab")), Allowed(), NOW) is None
