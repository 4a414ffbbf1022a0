"""The lines of the guides to the API, as they stand there, against an API at work."""

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.integration.api.test_sockets import served_over
from tests.unit.cli.afar import Afar
from tests.unit.cli.conftest import Stage as House
from tests.unit.reconcile.stage import Stage

from otto.adapters.specs import YamlSpecs
from otto.testing import World, site_spec

PAGES = Path(__file__).resolve().parents[3] / "docs" / "how-to"
HELLO = """\
apiVersion: otto/v1
kind: Site
metadata: {name: hello, labels: {team: web, env: prod}}
spec:
  web: {count: 2}  # two
  content: {path: sites/hello}
  rollout: {strategy: all, soak: 0s}
"""
ZONE = """\
apiVersion: otto/v1
kind: Domain
metadata: {name: example.org}
spec:
  provider: rfc2136
  records:
    - {name: www, type: A, values: [192.0.2.1]}  # one
"""


@dataclass(frozen=True)
class Guide:
    """A page whose lines are carried out from first to last.

    Attributes:
        page: its name.
        others: what stands in a line, and the status that is answered to it where that is not 200 or 202.
        after: what the repository of specs holds afterwards.
    """

    page: str
    others: dict[str, int]
    after: dict[str, bytes] = field(default_factory=dict)

    def commands(self) -> list[str]:
        text = (PAGES / self.page).read_text(encoding="utf-8")
        found = re.findall(r"^(?:    )?((?:curl|[A-Z]+=\$\(curl) .*)$", text, re.MULTILINE)
        assert len(found) > 10, "the lines are written in another way"
        return found

    def script(self, port: int) -> str:
        """The lines for a shell; each request tells its number, its status, and the one that is expected."""
        return "\n".join(self._line(number, line, port) for number, line in enumerate(self.commands()))

    def _line(self, number: int, line: str, port: int) -> str:
        here = line.replace("127.0.0.1:7070", f"127.0.0.1:{port}").replace("curl ", "curl --max-time 10 ", 1)
        if not line.startswith("curl"):
            return here
        expected = next((status for part, status in self.others.items() if part in line), 200)
        told = f"-s -o answer-{number} -w '{number} %{{http_code}} {expected}\\n'"
        here = here.replace("curl ", f"curl {told} ", 1)
        return f"{here.replace('--max-time 10', '--max-time 1')} || true" if "/events" in here else here


GUIDES = (
    Guide(
        "api.md",
        # Nothing waits for an approval, and there is no such site.
        {"/site/hello/approve": 409, "/site/nothing/status": 404},
        {"specs/hello.yaml": b"{count: 3}  # two"},
    ),
    Guide(
        "write-by-http.md",
        {'-X POST "$OTTO/site/shop"': 201},
        {"specs/zone.yaml": b"name: shop"},
    ),
)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.page)
async def test_every_line_of_the_guide_does_what_it_says(guide: Guide, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.world = World(stage.world.clock, YamlSpecs())
    page = {"sites/hello/index.html": "<h1>It works</h1>"}
    stage.world.source.commit({"specs/hello.yaml": HELLO, "specs/zone.yaml": ZONE, **page})
    async with served_over(stage) as (_, port):
        environ = {"OTTO": f"http://127.0.0.1:{port}", "PATH": os.environ["PATH"]}
        done = await asyncio.to_thread(shell, guide.script(port), stage.home, environ)
    told = [line.split() for line in done.stdout.splitlines()]
    assert len(told) == sum(line.startswith("curl") for line in guide.commands()), done.stderr
    for which, got, expected in told:
        answer = (stage.home / f"answer-{which}").read_text(encoding="utf-8")
        assert got == expected or (got, expected) == ("202", "200"), (guide.commands()[int(which)], answer)
    source = stage.world.source
    entries = source.entries(source.head or "")
    for path, text in guide.after.items():
        assert text in source.read(entries[path].blob), path


def test_the_guide_to_tokens_and_the_one_to_the_command_line_from_afar(tmp_path: Path) -> None:
    home = House(tmp_path)
    home.world.push(site_spec("hello", labels={"team": "web"}), site_spec("shop", labels={"team": "shop"}))
    with Afar(home, running=True).answering() as afar:
        environ = {
            "OTTO_SERVER": afar.url,
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        tokens = shell(_lines("tokens.md", afar.url), tmp_path, environ)
        assert tokens.returncode == 0, tokens.stderr
        assert re.search(r"^otto_\w+$", tokens.stdout, re.MULTILINE)
        assert '"name":"hello"' in tokens.stdout.replace(" ", "")
        assert "of ci does not count any more" in " ".join(tokens.stdout.split())
        (tmp_path / ".config" / "otto").mkdir(parents=True)
        made = shell("otto token create me --scope admin --to .config/otto/token", tmp_path, environ)
        assert made.returncode == 0, made.stderr
        far = shell(_lines("remote-command-line.md", afar.url), tmp_path, environ | {"OTTO_SERVER": ""})
        assert far.returncode == 0, far.stderr
        assert far.stdout.count("shop") >= 2
        said = [record.entry for record in home.world.ledger.log if record.entry.what == "reconcile"]
        assert [(entry.site, entry.who) for entry in said] == [("hello", "me")]


def _lines(page: str, url: str) -> str:
    """All that the page has the reader type."""
    text = (PAGES / page).read_text(encoding="utf-8")
    found = re.findall(r"^    ((?:otto|curl|export|unset|[A-Z]+=) ?.*)$", text, re.MULTILINE)
    assert len(found) > 4, "the lines are written in another way"
    return "\n".join(line.replace("https://otto.example.org:7070", url) for line in found)


def shell(script: str, folder: Path, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
