"""What came from hosts, read: facts strictly, messages without secrets, events into outcomes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.ansible.factreading import BARE, COMMAND, FACT, MalformedFactError, read_facts
from otto.adapters.ansible.outcome import Tallies, message_of
from otto.adapters.ansible.scrub import MASK, one_line, scrub
from otto.adapters.specs.text import HIDDEN
from otto.model.canonical import digest
from otto.model.configuration import HostOutcome
from otto.model.host import Host, HostFacts
from otto.model.spec import Role

DIGEST = "a" * 64
GOOD: dict[str, Any] = {
    "schema": 1,
    "fact": DIGEST,
    "files": {"/etc/a": DIGEST, "/etc/b": None},
    "services": {"nginx": "active"},
    "configuration": "c",
    "revision": None,
    "content": None,
    "backends": {},
    "boot_id": "x",
    "machine": "y",
    "from the future": 1,
}


def answer(value: object, status: int = 0) -> str:
    return f"{json.dumps(value)}\notto-status:{status}\n"


def test_a_good_fact_is_read() -> None:
    assert read_facts(answer(GOOD)) == HostFacts(
        DIGEST, {"/etc/a": DIGEST, "/etc/b": None}, {"nginx": "active"}, "c", None, None, {}
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "cut off"),
        (json.dumps(GOOD), "cut off"),
        ("otto-status:0", "empty"),
        ("nonsense\notto-status:0", "no JSON"),
        (answer([1]), "no object but list"),
        (answer(GOOD | {"schema": 2}), "schema is 2"),
        (answer({"schema": 1, "error": "out of time"}), "out of time"),
        (answer(GOOD | {"fact": None}), "its own digest"),
        (answer(GOOD | {"files": []}), "files of the fact is list"),
        (answer(GOOD | {"files": {"/etc/a": "short"}}), "digest of /etc/a"),
        (answer(GOOD | {"revision": 7}), "revision of the fact is int"),
        ("[" * 120_000 + "otto-status:0", "no JSON"),
        (answer(GOOD | {"schema": [[]]}), "schema is list"),
        (answer({"schema": 1, "error": [[]]}), "says: list"),
        (answer(GOOD | {"revision": "\ud800"}), "revision of the fact is not Unicode"),
        (answer(GOOD | {"content": "x" * 513}), "content of the fact is longer than 512"),
        (answer(GOOD | {"files": {"/\udfff": DIGEST}}), "path of the fact is not Unicode"),
        (answer(GOOD | {"files": {"/" * 4097: DIGEST}}), "path of the fact is longer than 4096"),
        (answer(GOOD | {"files": {f"/{n}": None for n in range(1025)}}), "more than 1024 entries"),
        (answer(GOOD | {"services": {"nginx": ["active"]}}), "state in services of the fact is list"),
        (answer(GOOD | {"services": {"\udc80": "active"}}), "name in services of the fact is not Unicode"),
        (answer(GOOD | {"backends": {"web": "U" * 513}}), "state in backends of the fact is longer"),
        (answer(GOOD, 124), "did not end"),
        (answer(GOOD, 126), "cannot be executed"),
        (answer(GOOD, 127), "no sudo"),
        (answer(GOOD, 9), "exit status 9"),
    ],
)
def test_anything_else_is_a_reason(output: str, reason: str) -> None:
    with pytest.raises(MalformedFactError, match=reason):
        read_facts(output)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOOD, "error"], VALUES)))
def test_whatever_is_read_can_be_digested(changes: dict[str, Any]) -> None:
    try:
        facts = read_facts(answer(GOOD | changes))
    except MalformedFactError as error:
        assert str(error).encode()  # noqa: PT017
    else:
        assert digest(facts)


@given(st.text())
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    for output in (text, f"{text}otto-status:0"):
        try:
            read_facts(output)
        except MalformedFactError as error:
            assert str(error)  # noqa: PT017


def test_a_host_without_the_script_is_bare_and_not_unknown() -> None:
    assert read_facts("otto-status:bare\n") == BARE == HostFacts(fact="")


def test_the_command_tells_a_missing_script_from_one_that_fails(tmp_path: Path) -> None:
    """Run for real, with a script of our own instead, and a `sudo` that does as it is told."""
    script = tmp_path / "otto.fact"
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    sudo.chmod(0o755)

    def ask() -> str:
        command = COMMAND.replace(FACT, str(script))
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        done = subprocess.run(["sh", "-c", command], env=path, capture_output=True, text=True, check=True)
        return done.stdout

    assert read_facts(ask()) == BARE
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert ask() == "otto-status:127\n"
    script.write_text("#!/bin/sh\nexit 3\n")
    assert ask() == "otto-status:3\n"


def test_the_command_is_bounded_on_the_host() -> None:
    assert "timeout -k 1" in COMMAND
    assert "head -c" in COMMAND
    assert "{{" not in COMMAND, "Ansible would take it for a template"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://me:hunter2@host/x", f"https://me:{MASK}@host/x"),
        ("password=hunter2 next", f"password={MASK} next"),
        ('{"api_key": "hunter2", "a": 1}', f'{{"api_key": {MASK}, "a": 1}}'),
        ("DB_PASSWORD: hunter2", f"DB_PASSWORD: {MASK}"),
        ("Authorization: Bearer hunter2", f"Authorization: Bearer {MASK}"),
        (
            "x -----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY----- y",
            f"x {MASK} y",
        ),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2", MASK),
        ("\x1b[31mred\x1b[0m\x07", "red"),
        ("\x9b31mred\x9b0m\x84\x9f", "red"),
        ("a\u202e\u2066b\u200f\ud800\ufeff", "ab"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("pass\u200bword=hunter2", f"password={MASK}"),
        ("http://10.0.0.1:80/ is fine", "http://10.0.0.1:80/ is fine"),
    ],
)
def test_secrets_and_escapes_are_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean
    assert "hunter2" not in one_line(text)


def test_no_character_that_steers_a_terminal_is_left() -> None:
    kept = scrub("".join(map(chr, range(0x11000))), 0x20000)
    assert kept.replace("\n", "").replace("\t", "").isprintable()
    assert not HIDDEN.search(kept), "as strict as what is refused in specs"


def test_long_texts_lose_their_middle() -> None:
    assert len(scrub("a" * 5000 + "end")) < 2010
    assert scrub("a" * 5000 + "end").endswith("end")


def host(name: str) -> Host:
    return Host(name, Role.WEB, name, "a", "a", 22, "otto", 80, "")


def event(kind: str, name: str, task: str = "t", **data: Any) -> dict[str, Any]:
    return {"event": f"runner_on_{kind}", "event_data": {"host": name, "task": task, **data}}


def test_events_become_outcomes() -> None:
    tallies = Tallies([host(name) for name in "abcdef"])
    for item in [
        {"event": "playbook_on_start"},
        event("ok", "a", res={"changed": True}),
        event("ok", "a", res={"changed": False}),
        event("ok", "b", res={}),
        event("failed", "c", task="install", res={"msg": "no", "stderr": "disk full"}),
        event("unreachable", "d", res={"msg": "Failed to connect to the host via ssh: refused"}),
        event("failed", "e", res={"msg": "x", "timedout": {"period": 2}}),
        event("failed", "f", ignore_errors=True, res={"msg": "x"}),
        event("ok", "stranger", res={"changed": True}),
    ]:
        tallies.take(item)
    found = {result.host: result for result in tallies.results()}
    assert [(found[name].outcome.value, found[name].changed) for name in "abcdef"] == [
        ("changed", 1),
        ("ok", 0),
        ("failed", 0),
        ("unreachable", 0),
        ("timed-out", 0),
        ("ok", 0),
    ]
    assert (found["c"].task, found["c"].message) == ("install", "no: disk full")
    assert found["d"].message == "refused"
    assert not tallies.complete


def test_a_play_cut_off_keeps_what_had_failed_before() -> None:
    tallies = Tallies([host("a"), host("b")])
    tallies.take(event("failed", "a", res={"msg": "why"}))
    tallies.take(event("ok", "b", res={"changed": True}))
    tallies.cut_off(HostOutcome.TIMED_OUT, "late")
    assert [(r.outcome, r.message) for r in tallies.results()] == [
        (HostOutcome.FAILED, "why"),
        (HostOutcome.TIMED_OUT, "late"),
    ]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({}, "no reason was given"),
        ({"msg": "items", "results": [{"msg": "fine"}, {"failed": True, "msg": "this one"}]}, "this one"),
        ({"msg": "Task failed: Module failed: deep"}, "deep"),
        ({"msg": "token=hunter2"}, f"token={MASK}"),
        ({"msg": "a\nb"}, "a b"),
        (
            {"msg": "@@ REMOTE HOST IDENTIFICATION HAS CHANGED! key is SHA256:XumCRVs34fqf0AI6HlfFGeTNL."},
            "the host does not have the SSH key that is pinned for it but SHA256:XumCRVs34fqf0AI6HlfFGeTNL",
        ),
        (
            {"msg": "Host key verification failed."},
            "the host does not have the SSH key that is pinned for it",
        ),
    ],
)
def test_messages_say_why_in_one_line(result: dict[str, Any], message: str) -> None:
    assert message_of(result) == message
