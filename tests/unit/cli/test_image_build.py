"""`otto images build` over ports in memory."""

import asyncio
import json
from typing import Self, TypeVar, cast

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.cli import imageboard
from otto.cli.commands.imagebuild import _followed
from otto.cli.imageboard import ImageBoard
from otto.desk.builds import CancelBuild, SeeBuild
from otto.desk.question import Question
from otto.model.errors import TransientError
from otto.model.image import Build
from otto.model.progress import Progress
from otto.model.spec import Provider
from otto.reconcile.buildbook import Begun, News
from otto.reconcile.foundry import Heard, Made, Result

R = TypeVar("R")


def test_images_are_built_and_told_line_by_line_off_a_terminal(stage: Stage) -> None:
    result = stage.otto("images", "build", "nginx", "haproxy")
    assert result.exit_code == 0, result.output
    assert "nginx (lab)" in result.stdout
    assert "built and tried, 1 package, now candidate and stable" in result.stdout
    again = stage.otto("images", "build", "nginx")
    assert "there already" in again.stdout


def test_force_builds_what_is_there(stage: Stage) -> None:
    stage.otto("images", "build", "nginx")
    assert "built and tried" in stage.otto("images", "build", "nginx", "--force").stdout
    assert stage.world.builder.built == ["nginx", "nginx"]


def test_one_that_fails_is_told_and_ends_with_1_while_the_others_are_built(stage: Stage) -> None:
    stage.world.builder.broken["nginx"] = TransientError("packer failed: no such luck", mend="pray")
    result = stage.otto("images", "build", "nginx", "haproxy")
    assert result.exit_code == 1
    assert "packer failed: no such luck (pray)" in result.stdout
    assert "haproxy" in stage.world.builder.built


def test_json_is_what_its_schema_says(stage: Stage) -> None:
    stage.world.builder.broken["otto"] = TransientError("packer failed")
    result = stage.otto("images", "build", "--json")
    document = json.loads(result.stdout)
    check("images-build", document)
    assert {item["name"]: item["result"] for item in document["images"]} == {
        "nginx": "built",
        "haproxy": "built",
        "otto": "failed",
        "clowd": "held",
    }


@pytest.mark.parametrize(
    ("words", "environ", "told"),
    [
        (["apache"], {}, "there is no image 'apache'"),
        (["--provider", "aws"], {"CLOWD_PROVIDERS": "lab"}, "aws may not be touched"),
        ([], {"CLOWD_PROVIDERS": "aws"}, "cannot try an image"),
        (["--plain", "--json"], {}, "exclude each other"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    stage: Stage, words: list[str], environ: dict[str, str], told: str
) -> None:
    result = stage.otto("images", "build", *words, environ=environ)
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert not stage.world.builder.built


def test_the_live_table_shows_progress_and_the_end(stage: Stage) -> None:
    builds = stage.world.builder.builds(Provider.LAB, ["nginx", "haproxy"])
    board = ImageBoard(builds)
    board.hear(Heard(builds[0], Progress("running the roles", 15, 100)), 1.0)
    board.hear(Heard(builds[1], made=Made(builds[1], Result.FAILED, error="no")), 2.0)
    nginx, haproxy = board.rows.values()
    assert (nginx.words, nginx.share, nginx.began) == ("running the roles", 15, 1.0)
    assert (haproxy.words, haproxy.share) == ("no", 100)
    assert imageboard.table(tuple(board.rows.values()), 3.0).row_count == 2


class Elsewhere:
    """A desk whose order of images is heard of word by word; what is asked of it is kept."""

    def __init__(self, *news: News) -> None:
        self._news = list(news)
        self.asked: list[object] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def ask(self, question: Question[R]) -> R:
        self.asked.append(question)
        if isinstance(question, SeeBuild):
            return cast("R", self._news.pop(0) if self._news else News((), over=False))
        done: object = True
        return cast("R", done)


def order(*names: str) -> Begun:
    return Begun("o-1", tuple(Build(name, "lab", f"sha256:{name}", {}, "") for name in names))


async def test_whoever_stops_listening_breaks_the_order_off() -> None:
    desk = Elsewhere()
    following = asyncio.create_task(_followed(desk, order("nginx"), list[Heard]().append))
    while not desk.asked:
        await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert desk.asked[-1] == CancelBuild("o-1")


async def test_an_order_that_somebody_broke_off_is_an_error_that_names_what_is_not_done() -> None:
    begun = order("nginx", "haproxy")
    made = Made(begun.builds[0], Result.BUILT)
    desk = Elsewhere(News((Heard(made.build, made=made),), over=False), News((), over=True))
    with pytest.raises(TransientError, match="broken off before its end: haproxy"):
        await _followed(desk, begun, list[Heard]().append)
    assert [item.seen for item in desk.asked if isinstance(item, SeeBuild)] == [0, 1]
