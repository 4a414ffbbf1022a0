"""A program is run with everything it may take, and leaves nothing behind."""

import asyncio
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from otto.adapters import program

from .processes import alive


def script(folder: Path, text: str, name: str = "program", *, shell: str = "/bin/sh") -> str:
    path = folder / name
    path.write_text(f"#!{shell}\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def python(folder: Path, text: str) -> str:
    return script(folder, text, shell=sys.executable)


async def test_it_is_given_words_and_answers(tmp_path: Path) -> None:
    ended = await program.run([script(tmp_path, "cat; echo $1; exit 3"), "$HOME `id`"], b"in", seconds=20)
    assert (ended.status, ended.output, ended.trouble) == (3, b"in$HOME `id`\n", "")


async def test_it_gets_a_small_environment_and_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter22hunter22")
    ended = await program.run([script(tmp_path, "env; pwd; ls -A")], b"", seconds=20, environ={"MORE": "1"})
    assert b"hunter22" not in ended.output
    assert b"MORE=1" in ended.output.splitlines()
    *_, folder = ended.output.splitlines()
    assert b"/otto-program-" in folder
    assert not Path(os.fsdecode(folder)).exists()


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        (["/nonexistent/program"], "it cannot be run: No such file or directory"),
        ([__file__], "it cannot be run: Permission denied"),
        (["bad\0name"], "it cannot be run: embedded null byte"),
    ],
)
async def test_what_cannot_be_run(command: list[str], trouble: str) -> None:
    assert await program.run(command, b"", seconds=20) == program.Ended(None, trouble=trouble)


async def test_it_may_ignore_what_it_is_given(tmp_path: Path) -> None:
    ended = await program.run([script(tmp_path, "exit 0")], b"x" * 4_000_000, seconds=20)
    assert ended == program.Ended(0)


async def test_it_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = (
        f"sleep 300 & echo $! >> {pids}\nsetsid sleep 300 & echo $! >> {pids}\necho $$ >> {pids}\nsleep 300"
    )
    ended = await program.run([script(tmp_path, text)], b"", seconds=1)
    assert (ended.status, ended.trouble) == (None, "it did not end within 1 s")
    started = [int(line) for line in pids.read_text(encoding="utf-8").split()]
    assert len(started) == 3
    assert not [pid for pid in started if alive(pid)]


async def test_what_it_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    ended = await program.run([script(tmp_path, f"sleep 300 & echo $! > {pids}; echo done")], b"", seconds=60)
    assert (ended.status, ended.output) == (0, b"done\n")
    assert time.monotonic() - started < 30
    assert not alive(int(pids.read_text(encoding="utf-8")))


async def test_it_may_not_write_without_end(tmp_path: Path) -> None:
    path = python(tmp_path, "import sys\nfor _ in range(1600): sys.stdout.write('x' * 65536)")
    ended = await program.run([path], b"", seconds=60, most=1000)
    assert (ended.status, ended.output) == (None, b"x" * 1000)
    assert ended.trouble.startswith("it wrote")


async def test_of_its_errors_the_end_is_kept(tmp_path: Path) -> None:
    path = python(tmp_path, "import sys\nsys.stderr.write('x' * 10_000_000 + 'the end')")
    ended = await program.run([path], b"", seconds=60)
    assert ended.status == 0
    assert len(ended.errors) == 4096
    assert ended.errors.endswith(b"xthe end")


async def test_it_ends_with_the_task_that_asked(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    path = script(tmp_path, f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 300")
    task = asyncio.ensure_future(program.run([path], b"", seconds=300))
    while not pid.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int(pid.read_text(encoding="utf-8")))


async def test_others_go_on_while_what_it_left_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def look(_mark: bytes) -> None:
        time.sleep(0.5)
        looked.append(True)

    monkeypatch.setattr(program, "end_strays", look)
    task = asyncio.ensure_future(program.run([script(tmp_path, "exit 0")], b"", seconds=60))
    longest, last = 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert looked
    assert longest < 0.4

    task = asyncio.ensure_future(program.run([script(tmp_path, "sleep 300")], b"", seconds=300))
    await asyncio.sleep(0.2)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0.02)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(looked) == 2


async def test_its_last_words(tmp_path: Path) -> None:
    ended = await program.run([script(tmp_path, "printf 'a\\nb \\n\\n' >&2")], b"", seconds=20)
    assert ended.last_words == "b"
    assert program.Ended(0).last_words == ""
