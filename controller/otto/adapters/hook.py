"""The port `PolicyHook`: an executable of the operator's is asked about every plan.

It can only make a verdict stricter: what it answers are reasons, which are added to those of the guard.
Whatever keeps it from answering is a reason to refuse.
"""

import json

import structlog

from otto.adapters import program
from otto.decide.hookanswer import Unreadable, reasons
from otto.decide.plandata import plan_data, verdict_data
from otto.model.canonical import Data, to_data
from otto.model.domain import DomainSpec
from otto.model.plan import Plan
from otto.model.policy import Hook
from otto.model.spec import SiteSpec
from otto.model.text import one_line
from otto.model.verdict import Effect, Reason, Verdict
from otto.ports import Policies
from otto.telemetry.redaction import Redactor

log = structlog.get_logger("otto.hook")

RULE = "guard.hook"
VERSION = 1
_MOST_BYTES = 1024 * 1024
_WORDS = 300


class HookProgram:
    """Runs the executable that the policy in force names; none, and nothing is added.

    Args:
        policies: the operator's policy; read at every plan, so that a changed one holds at once.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._redactor = Redactor()

    async def judge(
        self, plan: Plan, spec: SiteSpec | DomainSpec | None, verdict: Verdict
    ) -> tuple[Reason, ...]:
        """What the executable finds; that it could not be asked is a reason to refuse."""
        hook = self._policies.fleet().hook
        if hook is None:
            return ()
        given = json.dumps(_question(plan, spec, verdict)).encode()
        ended = await program.run(hook.command, given, seconds=hook.timeout, most=_MOST_BYTES)
        return self._conclude(hook, ended)

    def _conclude(self, hook: Hook, ended: program.Ended) -> tuple[Reason, ...]:
        if ended.trouble:
            return self._failed(hook, ended, ended.trouble)
        try:
            found = reasons(ended.output)
        except Unreadable as error:
            return self._failed(hook, ended, f"it answered {error}")
        if ended.status != 0 and not found:
            return self._failed(hook, ended, f"it ended with status {ended.status} and gave no reason")
        return found

    def _failed(self, hook: Hook, ended: program.Ended, what: str) -> tuple[Reason, ...]:
        said = f"; it said: {ended.last_words}" if ended.last_words else ""
        words = one_line(self._redactor.scrub(f"the policy hook could not be asked: {what}{said}"), _WORDS)
        command = one_line(self._redactor.scrub(hook.command[0] if hook.command else ""), _WORDS)
        log.warning("hook.failed", command=command, reason=words)
        mend = f"mend {command}, or take the hook out of the fleet's policy; then the site is judged again"
        return (Reason(RULE, words, mend, Effect.REFUSE),)


def _question(plan: Plan, spec: SiteSpec | DomainSpec | None, verdict: Verdict) -> dict[str, Data]:
    return {
        "version": VERSION,
        "site": plan.site,
        "plan": plan_data(plan),
        "spec": to_data(spec),
        "verdict": verdict_data(verdict),
    }
