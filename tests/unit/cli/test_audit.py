"""`otto audit`: the record for people and programs, and whether it is whole."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.model.history import AuditEntry
from otto.model.status import Phase, SiteStatus
from otto.reconcile.chain import walk
from otto.testing import START, MemoryLedger

HOSTILE = "[bold red]\x1b]0;owned\x07 [link=http://evil.example]x[/link]"
ENTRIES = (
    ("otto", "verdict", "acme", "2 to replace", "guard.replace: acme-web-1 would go"),
    ("ann", "approve", "acme", "2 to replace", "the image is new"),
    ("bob", "freeze", "", "nothing is taken away", "a bad merge"),
)


@pytest.fixture
def up(stage: Stage) -> Stage:
    """Three records, an hour, half an hour and no time ago."""
    (stage.home / "otto.db").touch()
    asyncio.run(stage.world.store.save_status(SiteStatus("acme", Phase.READY, START)))
    asyncio.run(stage.world.store.save_status(SiteStatus("shop", Phase.READY, START)))
    now = stage.world.clock.now() + timedelta(minutes=1)  # that of the first call
    for number, (who, what, site, summary, reason) in enumerate(ENTRIES):
        at = now - timedelta(minutes=60 - 30 * number)
        record(
            stage, AuditEntry(at, who, what, site, "abcdef" * 10 if site else "", summary, reason, {"a": "b"})
        )
    return stage


def record(stage: Stage, entry: AuditEntry) -> None:
    asyncio.run(stage.world.ledger.append(entry))


def document(stage: Stage, *words: str, status: int = 0) -> Any:
    result = stage.otto("audit", *words, "--json")
    assert result.exit_code == status
    made = json.loads(result.stdout)
    check("audit", made)
    return made


def test_the_record_is_shown_newest_first(up: Stage) -> None:
    result = up.otto("audit", environ={"COLUMNS": "160"})
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split()[:5] == ["WHEN", "WHO", "WHAT", "SITE", "PLAN"]
    assert [line.split()[2] for line in lines[1::2]] == ["bob", "ann", "otto"]
    assert lines[3].split()[3:6] == ["approve", "acme", "abcdefabcdef"]
    assert lines[1].split()[3:5] == ["freeze", "all"]
    assert [line.strip() for line in lines[2::2]] == [
        "a bad merge",
        "the image is new",
        "guard.replace: acme-web-1 would go",
    ]
    assert up.composition.opened == ["store"]


def test_it_fits_80_columns(up: Stage) -> None:
    assert max(map(len, up.otto("audit").stdout.splitlines())) <= 80


def test_records_of_one_site_and_the_newest_of_them(up: Stage) -> None:
    assert [item["number"] for item in document(up, "acme")["records"]] == [2, 1]
    assert [item["number"] for item in document(up, "acme", "--limit", "1")["records"]] == [2]
    assert [item["number"] for item in document(up)["records"]] == [3, 2, 1]


@pytest.mark.parametrize(
    ("since", "numbers"),
    [("1m", [3]), ("45m", [3, 2]), ("1h30m", [3, 2, 1]), ("999999999w999999999w", [3, 2, 1])],
)
def test_records_of_a_length_of_time(up: Stage, since: str, numbers: list[int]) -> None:
    assert [item["number"] for item in document(up, "--since", since)["records"]] == numbers


def test_json_holds_all_of_a_record(up: Stage) -> None:
    (made,) = document(up, "--limit", "1")["records"]
    kept = up.world.ledger.log[-1]
    assert (made["who"], made["what"], made["detail"]) == ("bob", "freeze", {"a": "b"})
    assert (made["before"], made["hash"]) == (kept.before, kept.hash)


def test_nothing_is_recorded_yet(stage: Stage) -> None:
    (stage.home / "otto.db").touch()
    assert stage.otto("audit").stdout == "nothing is recorded\n"
    assert stage.otto("audit", "--verify").stdout == "chain of 0 records is whole\n"
    assert document(stage) == {"records": [], "chain": None}
    assert document(stage, "--verify")["chain"] == {"records": 0, "last": "", "wrong": ""}


def test_a_known_site_without_records(up: Stage) -> None:
    assert up.otto("audit", "shop").stdout == "nothing is recorded\n"
    assert document(up, "acme", "--since", "1s")["records"] == []


def test_a_destroyed_site_keeps_its_records(up: Stage) -> None:
    asyncio.run(up.world.store.forget("acme"))
    assert [item["number"] for item in document(up, "acme", "--since", "1s")["records"]] == []
    assert [item["number"] for item in document(up, "acme")["records"]] == [2, 1]


def test_words_of_others_cannot_steer_the_terminal(up: Stage) -> None:
    record(up, AuditEntry(START, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE))
    for words in (["audit"], ["audit", "--json"]):
        shown = up.otto(*words, environ={"COLUMNS": "400"}).stdout
        assert "\x1b" not in shown
        assert "[bold red]" in shown


def test_a_whole_chain(up: Stage) -> None:
    last = up.world.ledger.log[-1].hash
    result = up.otto("audit", "--verify")
    assert (result.exit_code, result.stdout) == (0, f"chain of 3 records is whole, last hash {last}\n")
    assert document(up, "--verify") == {"records": [], "chain": {"records": 3, "last": last, "wrong": ""}}


def test_a_record_that_was_changed_is_named(up: Stage) -> None:
    log = up.world.ledger.log
    log[1] = replace(log[1], entry=replace(log[1].entry, who="carl"))
    result = up.otto("audit", "--verify", environ={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "not whole: record 2 was changed" in result.stderr
    assert f"1 records are whole, the last of them with hash {log[0].hash}" in result.stderr
    chain = document(up, "--verify", status=1)["chain"]
    assert chain == {"records": 1, "last": log[0].hash, "wrong": "record 2 was changed"}


def test_a_hash_kept_elsewhere_shows_a_record_that_was_cut_off_or_made_anew(up: Stage) -> None:
    kept = [item.hash for item in up.world.ledger.log]
    for number in (0, 2):
        assert up.otto("audit", "--verify", "--expect", kept[number].upper()).exit_code == 0
    del up.world.ledger.log[2]
    assert up.otto("audit", "--verify").exit_code == 0
    assert up.otto("audit", "--verify", "--expect", kept[1]).exit_code == 0
    result = up.otto("audit", "--verify", "--expect", kept[2], environ={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert f"no record has the hash {kept[2]}" in result.stderr


async def test_a_long_chain_is_walked_in_stretches() -> None:
    ledger = MemoryLedger()
    for number in range(2500):
        await ledger.append(AuditEntry(START, "otto", "verdict", summary=str(number)))
    assert (await walk(ledger)).records == 2500
    assert ledger.failures.count("records") == 4
    ledger.log[1000] = replace(ledger.log[1000], before="x")
    found = await walk(ledger)
    assert (found.records, found.wrong) == (1000, "record 1001 does not follow record 1000")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["nobody"], 1, "there is no site 'nobody'"),
        (["acne"], 1, "did you mean acme?"),
        (["--since", "yesterday"], 1, "'yesterday' is no length of time"),
        (["--since", "-5m"], 1, "no length of time"),
        (["--limit", "-1"], 2, "--limit"),
        (["--limit", "0"], 2, "--limit"),
        (["--limit", "many"], 2, "--limit"),
        (["--verify", "acme"], 2, "looks at all of the record"),
        (["--verify", "--limit", "3"], 2, "looks at all of the record"),
        (["--verify", "--since", "3h"], 2, "looks at all of the record"),
        (["--verify", "--expect", "abc"], 1, "'abc' is no hash"),
        (["--expect", "0" * 64], 2, "goes with --verify"),
    ],
)
def test_bad_input_is_one_error_and_changes_nothing(
    up: Stage, words: list[str], status: int, says: str
) -> None:
    before = list(up.world.ledger.log)
    result = up.otto("audit", *words, environ={"COLUMNS": "200"})
    assert (result.exit_code, result.stdout) == (status, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert up.world.ledger.log == before


def test_before_anything_ran(stage: Stage) -> None:
    result = stage.otto("audit")
    assert result.exit_code == 1
    assert "OttO has not run over" in result.stderr
    assert stage.composition.opened == []
