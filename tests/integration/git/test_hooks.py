"""Pushes with the hooks at work, a small server playing the controller."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.git import EmbeddedRepository, hook, quarantined, seed
from otto.model.errors import TerminalError

from .gitting import Work, git, told

Answer = list[dict[str, object] | bytes]
Respond = Callable[[dict[str, Any]], Answer]
Controller = Callable[[Respond], AbstractAsyncContextManager[list[dict[str, Any]]]]

DONE: dict[str, object] = {"done": True, "exit": 0}


@pytest.fixture
def controller(home: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    """Starts a server on the control socket; gives the requests it got."""

    @asynccontextmanager
    async def started(respond: Respond) -> AsyncIterator[list[dict[str, Any]]]:
        got: list[dict[str, Any]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(json.loads(await reader.readline()))
            for line in respond(got[-1]):
                writer.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
            writer.close()

        monkeypatch.chdir(home)
        server = await asyncio.start_unix_server(serve, "control.sock")
        async with server:
            yield got
        (home / "control.sock").unlink(missing_ok=True)

    return started


async def _push(work: Work, home: Path, *arguments: str) -> str:
    return await asyncio.to_thread(work.push, home / "specs.git", *arguments, check=False)


async def test_the_controller_is_told_and_the_pusher_too(
    controller: Controller, work: Work, home: Path
) -> None:
    async with controller(lambda _: [{"line": "accepted hello"}, {"line": ""}, {"line": "bye"}, DONE]) as got:
        output = await _push(work, home, "main", "main:refs/heads/two words".replace(" ", "-"))
    commit = git(work.path, "rev-parse", "main").strip()
    assert got == [
        {
            "op": "push",
            "refs": [["0" * 40, commit, "refs/heads/main"], ["0" * 40, commit, "refs/heads/two-words"]],
            "quarantine": None,
        }
    ]
    assert told(output) == ["accepted hello", "", "bye"]


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3), max_size=3),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)
def test_what_is_sent_is_json(refs: list[list[str]], quarantine: str | None) -> None:
    sent = hook.request("push", refs, quarantine)
    assert json.loads(sent) == {"op": "push", "refs": refs, "quarantine": quarantine}
    assert sent.count(b"\n") == 1


async def test_hostile_lines_are_made_harmless(controller: Controller, work: Work, home: Path) -> None:
    evil = "\x1b[2J\x07\u202e" + "é" * 10 + "x" * 2000
    async with controller(lambda _: [{"line": evil}, DONE]):
        output = await _push(work, home)
    (line,) = told(output)
    assert line.startswith("\\x1b[2J\\x07\\u202e\\xe9")
    assert "\x1b[2J" not in output
    assert len(line) < 1000


async def test_endless_answers_end(controller: Controller, work: Work, home: Path) -> None:
    endless: Answer = [{"line": str(number)} for number in range(5000)]
    async with controller(lambda _: [*endless, DONE]):
        output = await _push(work, home)
    assert len(told(output)) == 200


async def test_what_went_wrong_in_the_controller_is_told(
    controller: Controller, work: Work, home: Path
) -> None:
    async with controller(lambda _: [{"done": True, "exit": 1, "error": "the store is\nbroken"}]):
        output = await _push(work, home)
    assert told(output) == ["OttO: the store is\\nbroken"]


DOWN = "OttO is not running: the push is stored, and picked up at its next start."


@pytest.mark.parametrize(
    "answer", [[], [b"not json\n"], [b"[1]\n"], [b'{"line": 5'], [{"line": "half"}], [b'"text"\n']]
)
async def test_a_controller_that_breaks_off_loses_no_push(
    controller: Controller, work: Work, home: Path, answer: Answer, embedded: EmbeddedRepository
) -> None:
    async with controller(lambda _: answer):
        output = await _push(work, home)
    assert told(output)[-1] == DOWN
    assert await embedded.fetch() == git(work.path, "rev-parse", "main").strip()


async def test_with_the_controller_down_the_push_is_stored(
    work: Work, home: Path, embedded: EmbeddedRepository
) -> None:
    started = monotonic()
    assert told(await _push(work, home)) == [DOWN]
    assert monotonic() - started < 10
    assert await embedded.fetch() == git(work.path, "rev-parse", "main").strip()


async def test_a_socket_nobody_listens_on(
    controller: Controller, work: Work, home: Path, embedded: EmbeddedRepository
) -> None:
    async with controller(lambda _: [DONE]):
        kept = (home / "control.sock").rename(home / "kept")
    kept.rename(home / "control.sock")
    assert told(await _push(work, home)) == [DOWN]
    assert await embedded.fetch() is not None


async def test_a_path_too_long_for_a_socket_address(tmp_path: Path, work: Work) -> None:
    deep = tmp_path / ("a b'\"$x" * 20) / ("d" * 100)
    path = seed(deep, tmp_path / "none", tmp_path / "none")
    assert told(work.push(path)) == [DOWN]


def _run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], operation: str, home: Path
) -> Any:
    before = Path.cwd()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{'0' * 40} {'1' * 40} refs/heads/main\n"))
    status = hook.main(operation, str(home))
    monkeypatch.chdir(before)
    return status, capsys.readouterr().out.strip()


@pytest.mark.parametrize(("operation", "says"), [("push", "still busy"), ("judge", "did not answer in time")])
async def test_a_controller_that_says_nothing(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    says: str,
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.chdir(home)
    monkeypatch.setattr(hook, "_ALL", 0.2)
    async with await asyncio.start_unix_server(silent, "control.sock"):
        status, output = await asyncio.to_thread(_run, monkeypatch, capsys, operation, home)
    assert (status, says in output) == (0, True)


def test_an_account_that_may_not_speak(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Connecting as root is never refused, so the refusal is played."""

    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(hook, "converse", refused)
    status, output = _run(monkeypatch, capsys, "judge", home)
    assert (status, output) == (0, "OttO takes no word from this account: the push is accepted unjudged.")


# pre-receive


@pytest.fixture
def strict(home: Path) -> Path:
    seed(home, home / "none", home / "none", reject_invalid=True)
    return home


async def test_a_push_can_be_refused(
    controller: Controller, work: Work, strict: Path, embedded: EmbeddedRepository
) -> None:
    seen: list[list[str]] = []

    def respond(request: dict[str, Any]) -> Answer:
        if request["op"] == "judge":
            with quarantined(strict, request["quarantine"]) as source:
                commit = request["refs"][0][1]
                seen.append(sorted(source.entries(commit)))
                seen.append(
                    [source.read(entry.blob).decode()[:10] for entry in source.entries(commit).values()]
                )
        return [{"line": "bad spec"}, {"done": True, "exit": 1}]

    async with controller(respond) as got:
        output = await _push(work, strict)
    assert [request["op"] for request in got] == ["judge"]
    assert seen == [["specs/hello.yaml"], ["apiVersion"]]
    assert "pre-receive hook declined" in output
    assert told(output) == ["bad spec"]
    assert await embedded.fetch() is None


async def test_objects_in_quarantine_are_seen_by_nobody_else(
    controller: Controller, work: Work, strict: Path, embedded: EmbeddedRepository
) -> None:
    def respond(request: dict[str, Any]) -> Answer:
        commit = request["refs"][0][1]
        with pytest.raises(TerminalError), quarantined(strict, None) as source:
            source.entries(commit)
        with pytest.raises(TerminalError):
            embedded.entries(commit)
        return [DONE]

    async with controller(lambda request: respond(request) if request["op"] == "judge" else [DONE]) as got:
        output = await _push(work, strict)
    assert [request["op"] for request in got] == ["judge", "push"]
    assert "declined" not in output
    assert await embedded.fetch() is not None


async def test_unjudged_when_the_controller_is_down(
    work: Work, strict: Path, embedded: EmbeddedRepository
) -> None:
    assert told(await _push(work, strict)) == ["OttO is not running: the push is accepted unjudged.", DOWN]
    assert await embedded.fetch() is not None


def test_a_quarantine_elsewhere_is_refused(home: Path, tmp_path: Path) -> None:
    for path in (tmp_path, home / "specs.git/objects/../../..", home / "specs.git/objects/gone"):
        with pytest.raises(TerminalError, match="quarantine"), quarantined(home, str(path)):
            pass
