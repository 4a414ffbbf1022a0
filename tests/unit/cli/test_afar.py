"""Every command over a controller elsewhere says what it says on that machine itself."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.unit.cli.afar import Afar
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import PLAN, Guarded
from tests.unit.cli.test_logs import ENTRIES, write
from tests.unit.decide.imagery import channel, image
from typer.testing import Result

from otto.cli.main import build_app
from otto.cli.remote.reach import FAR, FILES
from otto.model.canonical import to_data
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.history import AuditEntry
from otto.model.host import HostState, LiveHost
from otto.model.policy import Policy
from otto.model.zone import RecordSet
from otto.testing import START, SimZone, site_spec

# What may differ: ids that chance makes, hashes over them, and who the system says is calling.
# Numbers of records, too: what the API refused to a caller is on record.
_CHANCE = re.compile(
    r'"record": \d+|"(?:as|hash|before|id|run|digest|secret|last)": "[^"]*"'
    r"|otto_\w+|\b[0-9a-f]{12}\b|\d{8}T\d{6}-[0-9a-f]{6}"
)
# The controllers' logs are in this very process, and a command puts logging back as it was.
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\w+ *\] .*\n", re.MULTILINE)


@dataclass
class Two:
    """One and the same world twice: asked on its own machine, and from afar."""

    near: Afar
    far: Afar

    def ask(self, *words: str, typed: str | None = None) -> tuple[Result, Result]:
        near = self.near.stage.otto(*words, typed=typed)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        far = self.far.stage.otto("--server", self.far.url, *words, typed=typed)
        return near, far

    def both(self, work: Callable[[Stage], None]) -> None:
        for one in (self.near, self.far):
            work(one.stage)


def prepared(stage: Stage) -> None:
    """Sites in all kinds of states, a plan that is held, images, an orphan, a rollout."""
    guarded = Guarded(stage)
    guarded.knows("acme", policy=Policy(ttl=86_400.0))
    guarded.knows("shop")
    guarded.born(START)
    guarded.holds()
    store = stage.world.store
    stage.world.push(site_spec("acme", policy=Policy(ttl=86_400.0)), site_spec("shop"))
    stage.world.declare(DomainSpec("zone.example", records=(Record("a", RecordType.A, ("192.0.2.1",)),)))
    write(stage.home / "logs" / "otto.jsonl", ENTRIES)
    held = {("a", "A"): RecordSet("a", "A", 300, ("192.0.2.9",))}
    stage.world.zones.zones |= {"live.example": SimZone(dict(held)), "zone.example": SimZone(dict(held))}
    for one in (image(1), image(2)):
        asyncio.run(store.images.add(one))
    asyncio.run(store.images.point(channel(1)))
    host = LiveHost("i-123456789012", "acme-web-9", "acme", "web", HostState.RUNNING, "10.203.0.9", START)
    asyncio.run(store.set_value("orphans", json.dumps(to_data([host]))))
    asyncio.run(store.ledger.append(AuditEntry(START, "ann", "freeze", "shop", summary="it was frozen once")))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    stages = []
    for name in ("near", "far"):
        home = tmp_path / name
        home.mkdir()
        stage = Stage(home)
        prepared(stage)
        stages.append(Afar(stage))
    near, far = stages
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with near.answering(), far.answering():
        yield Two(near, far)
    structlog.reset_defaults()


def settled(text: str) -> str:
    return _CHANCE.sub("…", _LOGGED.sub("", text))


# One after the other, on the same two worlds: what one says, the next one hears of.
STORY: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "acme"),
    ("status", "nobody"),
    ("why", "acme"),
    ("why", "acmee"),
    ("diff", "shop"),
    ("plan", "shop"),
    ("plan", "nobody"),
    ("history", "acme"),
    ("history", "acme", "--run", "nothing"),
    ("history", "nobody"),
    ("audit",),
    ("audit", "shop", "--limit", "1"),
    ("audit", "--verify"),
    ("audit", "--verify", "--expect", "0" * 64),
    ("grants",),
    ("logs",),
    ("logs", "acme", "--lines", "1"),
    ("logs", "--run", "r2", "--level", "warning"),
    ("logs", "--level", "loud"),
    ("logs", "--lines", "10001"),
    ("approve", "acme", "ffff", "--by", "ann"),
    ("approve", "acme", PLAN[:8], "--by", "ann", "--note", "seen"),
    ("reject", "acme", PLAN, "--by", "bob", "--note", "no"),
    ("freeze", "--reason", "sale", "--until", "2h", "--by", "ann"),
    ("freeze", "--reason", "sale", "--until", "2020-01-01", "--by", "ann"),
    ("freeze", "--site", "acmee", "--reason", "sale"),
    ("grants", "acme"),
    ("thaw", "--reason", "over", "--by", "ann"),
    ("thaw", "--by", "ann"),
    ("extend", "acme", "4h", "--by", "ann"),
    ("extend", "shop", "4h", "--by", "ann"),
    ("override", "acme", "--reason", "fire", "--for", "30m", "--by", "ann"),
    ("rollout", "status", "acme"),
    ("rollout", "pause", "acme", "--by", "ann"),
    ("rollout", "pause", "acme", "--by", "bob"),
    ("rollout", "status", "acme"),
    ("rollout", "resume", "acme", "--by", "ann"),
    ("rollout", "abort", "acme", "--by", "ann"),
    ("rollout", "undo", "acme", "--by", "ann"),
    ("pipelines", "list"),
    ("pipelines", "list", "nobody"),
    ("pipelines", "show", "nothing"),
    ("orphans",),
    ("reap", "nothing", "--yes"),
    ("images", "list"),
    ("images", "show", "nginx@stable"),
    ("images", "show", "nothing"),
    ("images", "diff", image(1).digest, image(2).digest),
    ("images", "promote", image(2).digest, "--by", "ann"),
    ("images", "promote", image(2).digest, "--by", "ann"),
    ("images", "revoke", image(1).digest, "--reason", "old", "--by", "ann"),
    ("images", "build", "nginx", "haproxy", "--by", "ann"),
    ("images", "build", "apache"),
    ("images", "build", "--provider", "aws"),
    ("images", "prune", "--keep", "0", "--yes", "--by", "ann", "--note", "needless"),
    ("images", "list"),
    ("adopt", "shop", "--yes"),
    ("dns", "diff", "zone.example"),
    ("dns", "diff", "other.example"),
    ("dns", "check", "zone.example"),
    ("dns", "import", "zone.example"),
    ("dns", "import", "live.example"),
    ("plan", "zone.example"),
    ("token", "create", "ci", "--scope", "read", "--label", "team=web", "--by", "ann"),
    ("token", "create", "ci", "--scope", "read", "--by", "ann"),
    ("token", "list"),
    ("token", "revoke", "ci", "--by", "ann"),
    ("token", "revoke", "ci", "--by", "ann"),
)
# Without --json, as they have none.
PLAIN: tuple[tuple[str, ...], ...] = (
    ("suspend", "acme", "--by", "ann"),
    ("suspend", "acmee"),
    ("resume", "acme", "--by", "ann"),
    ("pipelines", "run", "acme", "--by", "ann"),
    ("pipelines", "run", "nobody", "--by", "ann"),
    ("status",),
    ("grants",),
    ("history", "acme"),
    ("why", "acme"),
    ("logs",),
    ("images", "list"),
    ("images", "build", "nginx", "otto", "--by", "ann"),
    ("images", "prune", "--keep", "0", "--yes"),
)


def test_every_command_says_from_afar_what_it_says_there(two: Two) -> None:
    for words in STORY:
        near, far = two.ask(*words, "--json")
        assert far.exit_code == near.exit_code, (words, near.output, far.output)
        assert settled(far.stdout) == settled(near.stdout), words
        assert settled(far.stderr) == settled(near.stderr), words
        if near.exit_code == 0:
            for document in far.stdout.splitlines() if words[0] == "logs" else [far.stdout]:
                json.loads(document)
    for words in PLAIN:
        near, far = two.ask(*words)
        assert (far.exit_code, settled(far.output)) == (near.exit_code, settled(near.output)), words


def test_the_story_and_the_others_make_up_all_commands_that_work_from_afar() -> None:
    def command(words: tuple[str, ...]) -> str:
        groups = {name.split()[0] for name in FAR if " " in name}
        return " ".join(words[: 2 if words[0] in groups else 1])

    elsewhere = {"reconcile", "provision", "configure", "verify", "destroy", "inventory", "notify", "version"}
    elsewhere |= {"dns apply"}
    assert {command(words) for words in (*STORY, *PLAIN)} | elsewhere == set(FAR)


def commands(app: Any) -> Iterator[tuple[str, ...]]:
    """Every command of an application, as it is typed."""
    for item in app.registered_commands:
        yield (item.name or item.callback.__name__.replace("_", "-"),)
    for group in app.registered_groups:
        yield from ((group.name, *words) for words in commands(group.typer_instance))


HERE = sorted(words for words in commands(build_app()) if " ".join(words) not in FAR)


@pytest.mark.parametrize("words", HERE, ids=" ".join)
def test_a_command_that_needs_its_own_machine_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    stage = Stage(tmp_path)
    filled = {
        ("init",): ("there",),
        ("policy", "test"): ("cases.yaml",),
        ("lab", "ssh"): ("host",),
    }.get(words, ())
    result = stage.otto("--server", "https://otto.example", *words, *filled)
    assert result.exit_code == 1, result.output
    told = " ".join(result.stderr.split())
    assert f"otto {' '.join(words)} works on the machine it is called on" in told
    assert "leave --server out" in told


def test_what_asks_no_controller_does_not_mind_a_server_in_the_environment(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    environ = {"OTTO_SERVER": "https://otto.example"}
    assert stage.otto("config", "--changed", environ=environ).exit_code == 0
    result = stage.otto("lab", "status", environ=environ)
    assert result.exit_code == 1
    assert "unset OTTO_SERVER" in " ".join(result.stderr.split())
    assert {"validate", "init", "ci", "policy"} <= FILES


def test_what_asks_no_controller_does_not_mind_broken_settings(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    result = stage.otto(
        "init", str(tmp_path / "new"), environ={"OTTO_CONFIG": str(tmp_path / "nothing.yaml")}
    )
    assert result.exit_code == 0, result.output
