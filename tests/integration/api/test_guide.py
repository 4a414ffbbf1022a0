"""The lines of the guide to the API, as they stand there, against an API at work."""

import asyncio
import re
import subprocess
from pathlib import Path

from tests.integration.api.test_sockets import served_over
from tests.unit.reconcile.stage import Stage

from otto.adapters.specs import YamlSpecs
from otto.testing import World

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "api.md"
SPEC = """\
apiVersion: otto/v1
kind: Site
metadata: {name: hello, labels: {team: web, env: prod}}
spec:
  web: {count: 2}  # two
  content: {path: sites/hello}
  rollout: {strategy: all, soak: 0s}
"""
# What the guide says is refused: nothing waits for an approval, and there is no such site.
REFUSED = {"/site/hello/approve": 409, "/site/nothing/status": 404}


def commands() -> list[str]:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if re.match(r"    (curl|TAG=)", line)]


def test_there_are_lines_to_try() -> None:
    assert len(commands()) > 15


async def test_every_line_of_the_guide_does_what_it_says(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.world = World(stage.world.clock, YamlSpecs())
    stage.world.source.commit({"specs/hello.yaml": SPEC, "sites/hello/index.html": "<h1>It works</h1>"})
    async with served_over(stage) as (_, port):
        script = []
        for number, line in enumerate(commands()):
            here = line.replace("127.0.0.1:7070", f"127.0.0.1:{port}")
            status = next((code for path, code in REFUSED.items() if path in here), 200)
            if not here.startswith("TAG="):
                told = f"-o answer-{number} -w '{number} %{{http_code}} {status}\\n'"
                here = here.replace("curl ", f"curl --max-time 10 {told} ", 1)
            if "/events" in here:
                here = here.replace("--max-time 10", "--max-time 1") + " || true"
            script.append(here)
        done = await _run(stage.home, "\n".join(script))
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == sum(not line.startswith("TAG=") for line in script), done.stderr
    for which, got, expected in lines:
        answer = (stage.home / f"answer-{which}").read_text()
        assert got == expected or (got, expected) == ("202", "200"), (
            commands()[int(which)],
            answer,
        )
    source = stage.world.source
    entry = source.entries(source.head or "")["specs/hello.yaml"]
    assert b"{count: 3}  # two" in source.read(entry.blob)


async def _run(home: Path, script: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        ["bash", "-eu", "-c", script],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
