"""The lines of the guide to zones, typed as they stand there, over the zone that it describes."""

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Stage

from otto.adapters.specs import YamlSpecs
from otto.testing import SimZone, World

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "domains.md"
ZONE = "example.org"
ZONE_FILE = (
    f"$ORIGIN {ZONE}.\n$TTL 300\n@ IN SOA ns1 h 1 7200 900 1209600 600\n@ IN NS ns1\nwww IN A 192.0.2.1\n"
)


def blocks() -> list[str]:
    return re.findall(r"(?:^    [^\n]*\n|^\n(?=    ))+", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def lines() -> list[str]:
    return [line.strip() for block in blocks() for line in block.splitlines() if line.startswith("    otto ")]


def spec() -> str:
    (found,) = (block for block in blocks() if "kind: Domain" in block)
    return re.sub(r"^    ", "", found, flags=re.MULTILINE)


HELLO = """\
apiVersion: otto/v1
kind: Site
metadata: {name: hello}
spec: {content: {path: sites/hello}}
"""
# A change that needs a person: the guide's zone, with another place for its mail.
OTHER_MAIL = ('"10 mail"', '"20 mail"')
# What waits for approval is not Ready.
WAITS = {"otto status example.org": 3}


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """The guide's zone in place, and a change of it that waits for approval."""
    stage.world = World(stage.world.clock, YamlSpecs())
    stage.composition.world = stage.world
    stage.world.zones.zones[ZONE] = SimZone({})
    commit = stage.world.source.commit
    commit({"specs/hello.yaml": HELLO, "specs/zone.yaml": spec(), "sites/hello/index.html": "<h1>Hello</h1>"})
    result = stage.otto("reconcile", "hello", ZONE, "--plain")
    assert result.exit_code == 0, result.output
    assert set(stage.world.zones.records(ZONE)) >= {"@ A", "@ MX", "@ TXT", "mail A", "www A"}
    commit({"specs/zone.yaml": spec().replace(*OTHER_MAIL)})
    assert stage.otto("reconcile", ZONE, "--plain").exit_code == 1
    return stage


def typed(stage: Stage, line: str) -> list[str]:
    """The words of a line, with what the reader fills in."""
    status = asyncio.run(stage.world.store.status(ZONE))
    filled = {"DIGEST": status.plan if status else "", "TEXT": "a change at the registrar"}
    return [filled.get(word, word) for word in shlex.split(line)[1:]]


def test_every_line_of_the_guide_does_what_it_says(
    waiting: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / f"{ZONE}.zone").write_text(ZONE_FILE, encoding="utf-8")
    said = {}
    for line in lines():
        result = waiting.otto(*typed(waiting, line), typed=f"{ZONE}\n")
        assert result.exit_code == WAITS.get(line, 0), f"{line}: {result.output}"
        said[line] = result.output
    assert len(said) > 12
    assert "~ update   @ MX  10 mail.example.org. (ttl 300) -> 20 mail" in said[f"otto plan {ZONE}"]
    assert "approve" in said[f"otto why {ZONE}"]
    assert YamlSpecs().parse("specs/zone.yaml", (tmp_path / "specs" / f"{ZONE}.yaml").read_bytes()).domains
    assert "20 mail.example.org." in said[f"otto dns diff {ZONE}"]
    assert "This gives zone example.org up" in said[f"otto destroy {ZONE}"]
    assert set(waiting.world.zones.records(ZONE)) == {"@ NS"}
