"""A hook is asked with everything there is, and what keeps it from answering refuses."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otto.adapters.hook import HookProgram
from otto.decide.plandata import plan_of
from otto.model.plan import Action, ActionKind, Plan, Step, StepKind
from otto.model.policy import FleetPolicy, Hook
from otto.model.verdict import Allowed, Effect, NeedsApproval, Reason, Verdict
from otto.testing import site_spec
from otto.testing.policy import MemoryPolicies

from .processes import alive

PLAN = Plan(
    "acme",
    "",
    (Step(StepKind.PROVISION, actions=(Action("host.w", ActionKind.REPLACE, host="acme-web-1"),)),),
)
VERDICT = NeedsApproval((Reason("guard.approval.destructive", "it replaces", "otto approve acme 0123"),))

Ask = Callable[..., Any]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    async def judge(
        text: str, *arguments: str, limit: float = 20.0, verdict: Verdict = VERDICT
    ) -> tuple[Reason, ...]:
        path = tmp_path / "hook"
        path.write_text(f"#!{sys.executable}\nimport json, sys, os, time\n{text}\n", encoding="utf-8")
        path.chmod(0o700)
        policy = FleetPolicy(hook=Hook((str(path), *arguments), limit))
        return await HookProgram(MemoryPolicies(policy)).judge(PLAN, site_spec(), verdict)

    return judge


def refused(found: tuple[Reason, ...]) -> str:
    (reason,) = found
    assert (reason.rule, reason.effect) == ("guard.hook", Effect.REFUSE)
    assert "take the hook out of the fleet's policy" in reason.mend
    assert reason.message.isprintable()
    return reason.message


async def test_without_a_hook_nothing_is_added() -> None:
    assert await HookProgram(MemoryPolicies()).judge(PLAN, site_spec(), Allowed()) == ()


async def test_a_changed_policy_holds_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    path.write_text('#!/bin/sh\necho \'{"reasons": [{"message": "no"}]}\'\n', encoding="utf-8")
    path.chmod(0o700)
    policies = MemoryPolicies()
    hook = HookProgram(policies)
    assert await hook.judge(PLAN, None, Allowed()) == ()
    policies.policy = FleetPolicy(hook=Hook((str(path),)))
    assert [item.message for item in await hook.judge(PLAN, None, Allowed())] == ["no"]


async def test_it_is_given_plan_spec_and_verdict(ask: Ask, tmp_path: Path) -> None:
    kept = tmp_path / "question"
    assert await ask(f"open({str(kept)!r}, 'w').write(sys.stdin.read())") == ()
    question = json.loads(kept.read_text(encoding="utf-8"))
    assert (question["version"], question["site"]) == (1, "acme")
    assert plan_of(question["plan"]) == PLAN
    assert question["plan"]["digest"] == PLAN.digest
    assert question["spec"]["policy"]["approval"] == "destructive"
    assert question["spec"]["web"]["count"] == 2
    assert question["verdict"]["kind"] == "NeedsApproval"
    assert question["verdict"]["reasons"][0]["effect"] == "ask"


async def test_its_reasons_are_added(ask: Ask) -> None:
    found = await ask(
        "print(json.dumps({'reasons': [{'rule': 'own', 'message': 'ask me', 'effect': 'ask'}]}))"
    )
    assert found == (Reason("hook.own", "ask me", effect=Effect.ASK),)


async def test_conftest_s_failures_refuse_though_it_ends_with_1(ask: Ask) -> None:
    results = [{"filename": "-", "namespace": "main", "successes": 0, "failures": [{"msg": "no replacing"}]}]
    found = await ask(f"print({json.dumps(results)!r}); sys.exit(1)")
    assert found == (Reason("hook.main", "no replacing", effect=Effect.REFUSE),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sys.exit(3)", "status 3 and gave no reason"),
        ("print('{\"reasons\": []}'); sys.exit(1)", "status 1 and gave no reason"),
        ("print('fine!')", "what is not JSON"),
        ("print('{}')", 'without a list "reasons"'),
        ("os.kill(os.getpid(), 9)", "status -9"),
        ("sys.exit('no such module: \\x1b[31mrego')", "it said: no such module"),
        ("sys.exit('password=hunter22')", "password=[redacted]"),
    ],
)
async def test_a_hook_that_fails_refuses(ask: Ask, text: str, words: str) -> None:
    assert words in refused(await ask(text, verdict=Allowed()))


async def test_a_hook_that_is_not_there_refuses() -> None:
    policies = MemoryPolicies(FleetPolicy(hook=Hook(("/nonexistent/hook",))))
    assert "No such file" in refused(await HookProgram(policies).judge(PLAN, None, Allowed()))


async def test_a_hook_without_a_command_refuses() -> None:
    policies = MemoryPolicies(FleetPolicy(hook=Hook(())))
    assert "cannot be run" in refused(await HookProgram(policies).judge(PLAN, None, Allowed()))


async def test_a_hook_that_hangs_is_stopped_with_its_children(ask: Ask, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = f"os.fork() or os.setsid()\nopen({str(pid)!r} + str(os.getpid()), 'w')\ntime.sleep(300)"
    started = time.monotonic()
    assert "did not end within 1.5 s" in refused(await ask(text, limit=1.5))
    assert time.monotonic() - started < 20
    numbers = [int(path.name.removeprefix("pid")) for path in tmp_path.glob("pid*")]
    assert len(numbers) == 2
    assert not [number for number in numbers if alive(number)]


async def test_a_hundred_megabytes_of_output_refuse(ask: Ask) -> None:
    text = "try:\n for _ in range(1600): sys.stdout.write('x' * 65536)\nexcept OSError: pass"
    assert "it wrote" in refused(await ask(text, limit=60))


async def test_hostile_text_is_text(ask: Ask) -> None:
    finding = "{'rule': '$(id)\\n', 'message': '[red]\\x1b[2J\\r\\nx', 'effect': 'warn'}"
    found = await ask(f"print(json.dumps({{'reasons': [{finding}]}}))")
    assert found == (Reason("hook.id", "[red] [2J x", effect=Effect.WARN),)


async def test_arguments_are_no_shell_s(ask: Ask) -> None:
    found = await ask("print(json.dumps({'reasons': [{'message': sys.argv[1]}]}))", "$(id); `id`")
    assert found[0].message == "$(id); `id`"
