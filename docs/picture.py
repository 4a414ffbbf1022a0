# ruff: noqa: INP001  (a script)
"""Make docs/images/terminal.svg from a real run: the example site comes up, and a push goes live.

Run it over an OTTO_HOME that is not there yet (environment variable OTTO_HOME); the site goes on serving.
"""

import asyncio
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from otto import config
from otto.cli import compose
from otto.cli.board import Board, Row
from otto.cli.livetable import table
from otto.model.status import Phase
from otto.reconcile.controller import Controller
from otto.reconcile.events import Event

_WIDTH = 96
_SITE = "hello"
_LIMIT = 300.0
_TARGET = Path(__file__).resolve().parent / "images" / "terminal.svg"
_TITLE = "OttO: the example site comes up, and a push goes live"
# Rich's own format fetches a font from elsewhere; the reader's own monospaced one will do.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class Picture:
    """Draws moments of a running controller one below the other."""

    def __init__(self, controller: Controller) -> None:
        self._clock = controller.kit.clock
        self._began = self._clock.monotonic()
        self._board = Board(controller.fleet.names(), self._began)
        self._frame = 0
        self._stirred = asyncio.Event()
        self.console = Console(
            file=io.StringIO(),
            record=True,
            width=_WIDTH,
            force_terminal=True,
            color_system="truecolor",
            markup=False,
            highlight=False,
            emoji=False,
        )
        controller.kit.bus.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        self._board.apply(event, self._clock.monotonic())
        self._stirred.set()

    def command(self, words: str) -> None:
        """A line a person typed."""
        self.console.print(Text.assemble(("$ ", "bold green"), (words, "bold")))

    async def moment(self, awaited: Callable[[Row], bool]) -> None:
        """The table as soon as a site's row is as awaited."""
        async with asyncio.timeout(_LIMIT):
            while not ((row := self._board.row(_SITE)) and awaited(row)):
                self._stirred.clear()
                await self._stirred.wait()
        self._frame += 3
        now = self._clock.monotonic()
        self.console.print(table(self._board.rows(), now, frame=self._frame, width=_WIDTH))
        self.console.print()


def _progressing(phase: Phase, share: float = 0.0) -> Callable[[Row], bool]:
    def holds(row: Row) -> bool:
        progress = row.progress
        if row.phase is not phase or progress is None:
            return False
        return progress.done >= share * progress.total

    return holds


async def draw() -> None:
    """Run, draw, write the file."""
    settings = config.load(os.environ)
    compose.seed_if_empty(settings)
    async with compose.open_kit(settings) as kit:
        controller = compose.make_controller(kit, settings)
        picture = Picture(controller)
        async with controller.running():
            picture.command("make run")
            for phase, share in ((Phase.PROVISIONING, 0.5), (Phase.CONFIGURING, 0.5), (Phase.DEPLOYING, 0.0)):
                await picture.moment(_progressing(phase, share))
            await picture.moment(lambda row: row.ready)
            for line in await asyncio.to_thread(_push, settings.home / "specs.git"):
                picture.console.print(line)
            picture.console.print()
            await picture.moment(_progressing(Phase.DEPLOYING))
            await picture.moment(lambda row: row.ready)
    _TARGET.parent.mkdir(exist_ok=True)
    picture.console.save_svg(str(_TARGET), title=_TITLE, theme=MONOKAI, code_format=_FORMAT)


def _push(repository: Path) -> list[Text]:
    """Change the greeting and push; what a person sees of it."""
    with tempfile.TemporaryDirectory() as folder:
        _git("clone", "-q", str(repository), folder)
        page = Path(folder) / "sites" / _SITE / "index.html"
        before = page.read_text(encoding="utf-8")
        start = before.index(">", before.index('<p class="greeting"')) + 1
        page.write_text(
            f"{before[:start]}Hello, world.{before[before.index('</p>', start) :]}", encoding="utf-8"
        )
        _git(
            "-C",
            folder,
            "-c",
            "user.name=You",
            "-c",
            "user.email=you@example.org",
            "commit",
            "-qam",
            "Say hello",
        )
        said = _git("-C", folder, "push")
    typed = Text.assemble(("$ ", "bold green"), ("git commit -a -q -m 'Say hello' && git push", "bold"))
    return [typed, *(Text(line.rstrip()) for line in said.splitlines() if line.startswith("remote:"))]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=60)
    return done.stderr


if __name__ == "__main__":
    asyncio.run(draw())
    sys.stdout.write(f"{_TARGET}\n")
