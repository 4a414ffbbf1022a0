"""`otto history`: the whole story of a heal, and runs of before that tell none."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.unit.cli.conftest import Stage

from otto.cli.story import doing, done, length, story, whole_words
from otto.cli.text import clock_time, date_time
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Phase, SiteStatus
from otto.testing import START

SIGNS = [
    {"tier": "probe", "what": "HTTP 502", "at": (START + timedelta(seconds=1)).isoformat(), "host": ""},
    {
        "tier": "statistics",
        "what": "servers/acme-web-2: want UP, have DOWN",
        "at": START.isoformat(),
        "host": "acme-web-2",
    },
]
DIFFERENCES = [
    {
        "layer": "configuration",
        "path": "hosts/acme-web-2/services/nginx",
        "want": "active",
        "have": "inactive",
        "cause": "failure",
        "tier": "facts",
    }
]
SUMMARY = "acme-web-2: services/nginx: want active, have inactive"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def step(kind: str, began: float, ended: float | None, **more: object) -> StepRecord:
    outcome = Outcome.RUNNING if ended is None else Outcome.SUCCEEDED
    record = StepRecord(kind, at(began), None if ended is None else at(ended), outcome)
    return replace(record, **more)  # type: ignore[arg-type]


OBSERVE = step("observe", 0, 2, summary=SUMMARY, detail={"signs": SIGNS, "differences": DIFFERENCES})
HEAL = Run(
    "20260101T000002-abcdef",
    "acme",
    "probe",
    at(2),
    "c" * 40,
    "d" * 64,
    "p" * 64,
    at(8),
    Outcome.SUCCEEDED,
    steps=(
        OBSERVE,
        step("plan", 2, 2.5, summary="configure (acme-web-2)"),
        step("guard", 2.5, 2.5, summary="allowed"),
        step("configure", 2.5, 5, hosts=("acme-web-2",), summary="1 host, 1 change"),
        step("verify", 5, 7.5, summary="6 checks, 0 failed"),
    ),
)
OLD = replace(HEAL, id="20250101T000002-abcdef", started_at=at(-90), ended_at=at(-80), steps=HEAL.steps[1:])


def shown(stage: Stage, *words: str, runs: tuple[Run, ...] = (HEAL, OLD)) -> str:
    (stage.home / "otto.db").touch()
    asyncio.run(stage.world.store.save_status(SiteStatus("acme", Phase.READY, START)))
    for run in runs:
        asyncio.run(stage.world.store.save_run(run))
    result = stage.otto("history", "acme", *words, environ={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_story_of_a_heal() -> None:
    told = story(HEAL)
    assert told
    assert told.summary == SUMMARY
    assert told.began == at(0)
    assert [(sign.tier, sign.host) for sign in told.signs] == [("statistics", "acme-web-2"), ("probe", "")]
    assert [item.path for item in told.differences] == ["hosts/acme-web-2/services/nginx"]
    assert whole_words(told) == "7.5s from the first sign to the last check"
    assert done(HEAL) == ["configure (acme-web-2) 2.5s", "verify 2.5s"]
    assert length(HEAL, at(100)) == "8.0s"


def test_a_run_that_tells_nothing_has_no_story() -> None:
    assert story(OLD) is None
    assert length(OLD, at(100)) == "10s"


def test_a_heal_that_failed_came_to_no_end() -> None:
    failed = replace(HEAL, steps=(*HEAL.steps[:-1], step("verify", 5, 7, outcome=Outcome.FAILED)))
    told = story(failed)
    assert told
    assert whole_words(told) == ""
    assert done(failed)[-1] == "verify 2.0s failed"


def test_what_goes_on_now() -> None:
    going = replace(HEAL, ended_at=None, steps=(OBSERVE, step("configure", 3, None, hosts=("acme-web-2",))))
    assert doing(going, at(7)) == (f"because {SUMMARY}", "configure (acme-web-2), 4s so far")


@pytest.mark.parametrize(
    "detail", [{}, {"signs": "no list", "differences": None}, {"signs": [{"tier": 1}, None, "x"]}]
)
def test_what_another_version_wrote_is_left_out(stage: Stage, detail: dict[str, object]) -> None:
    odd = replace(HEAL, steps=(replace(OBSERVE, detail=detail), *HEAL.steps[1:]))
    told = story(odd)
    assert told
    assert (told.signs, told.differences) == ((), ())
    assert SUMMARY in shown(stage, runs=(odd,))


def test_the_list_tells_what_was_seen_and_done(stage: Stage) -> None:
    lines = shown(stage).splitlines()
    assert lines[1].split()[:1] == [HEAL.id]
    assert lines[1].split()[-5:] == ["8.0s", "probe", "succeeded", "configure,", "verify"]
    assert lines[2].strip() == f"seen at {clock_time(START)} by statistics: {SUMMARY}"
    assert lines[3].strip() == (
        "configure (acme-web-2) 2.5s, verify 2.5s; 7.5s from the first sign to the last check"
    )
    assert lines[4].split()[0] == OLD.id
    assert len(lines) == 5


def test_one_run_in_full(stage: Stage) -> None:
    text = shown(stage, "--run", HEAL.id)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        f"first sign {date_time(START)}",
        "in all 7.5s from the first sign to the last check",
        "SEEN AT BY HOST WHAT",
        f"{clock_time(START)}.000 statistics acme-web-2 servers/acme-web-2: want UP, have DOWN",
        f"{clock_time(at(1))}.000 probe HTTP 502",
        "LAYER WHAT WANT HAVE CAUSE",
        "configuration hosts/acme-web-2/services/nginx active inactive failure",
        f"observe 2.0s succeeded {SUMMARY}",
        "configure 2.5s succeeded 1 host, 1 change",
        "hosts: acme-web-2",
        "verify 2.5s succeeded 6 checks, 0 failed",
    ):
        assert line in lines
    assert "signs:" not in text


def test_a_run_of_before_is_shown_as_before(stage: Stage) -> None:
    text = shown(stage, "--run", OLD.id)
    for words in ("first sign", "in all", "SEEN AT", "LAYER"):
        assert words not in text


def test_json_is_as_stored(stage: Stage) -> None:
    document = json.loads(shown(stage, "--run", HEAL.id, "--json"))
    assert document["runs"][0]["steps"][0]["detail"] == {"signs": SIGNS, "differences": DIFFERENCES}


@pytest.mark.parametrize("words", [[], ["--run", HEAL.id]])
def test_hostile_words_are_text(stage: Stage, words: list[str]) -> None:
    bad = "[bold red]\x1b]0;owned\x07"
    signs = [SIGNS[0] | {"what": bad, "host": bad}]
    seen = replace(OBSERVE, summary=bad, hosts=(bad,), detail={"signs": signs, "differences": []})
    text = shown(stage, *words, runs=(replace(HEAL, steps=(seen, *HEAL.steps[1:])),))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold red]" in text


def test_80_columns_are_enough(stage: Stage) -> None:
    shown(stage)
    for words in (["history", "acme"], ["history", "acme", "--run", HEAL.id]):
        assert max(map(len, stage.otto(*words).stdout.splitlines())) <= 80
