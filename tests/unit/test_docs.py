"""The documentation is true: pages are fresh, links lead somewhere, and what is named exists."""

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main

from otto import config
from otto.adapters.specs import YamlSpecs, schema
from otto.adapters.specs.parse import parse_fleet_policy
from otto.cli.main import app
from otto.cli.up import farewell
from otto.model.difference import Layer
from otto.model.host import Endpoint
from otto.model.plan import ActionKind
from otto.model.run import Outcome
from otto.model.status import ConditionType, Phase, SiteStatus
from otto.model.why import Obstacle
from otto.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
# Variables that are no settings: where settings are, and what set-up and tests look at.
OTHER_VARIABLES = {"OTTO_HOME", "OTTO_CONFIG", "OTTO_DEBUG", "OTTO_PYTHON", "OTTO_TOKEN"} | set(
    re.findall(r"OTTO_VM_[A-Z]+", (ROOT / "Vagrantfile").read_text(encoding="utf-8"))
)
# Fields of specs, and log events, that look like settings of the section of the same name.
_SPEC = schema.kind("Site").schema["properties"]["spec"]["properties"]
_ZONE = schema.kind("Domain").schema["properties"]["spec"]["properties"]
FIELDS = {f"{part}.{name}" for part in ("policy", "content") for name in _SPEC[part]["properties"]}
FIELDS |= {f"policy.{name}" for name in _ZONE["policy"]["properties"]}
EVENTS = set(
    re.findall(
        r"^\| `([a-z_.]+)` \|",
        (DOCS / "reference" / "log-events.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)
SECTIONS = {name.partition(".")[0] for name, *_ in config.names() if "." in name}

_FENCE = re.compile(r"^```.*?^```$|^(?: {4,}[^\n]*\n?)+", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"``\s(.+?)\s``|`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")
_OTTO = re.compile(r"(?:^|[\s;|&(])(?:\.venv/bin/)?otto ((?:(?!--? )[^\s;|&)#]+ ?)+)", re.MULTILINE)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


def code_of(text: str) -> str:
    """All code of a page: blocks and spans."""
    spans = [first or second for first, second in _SPAN.findall(_FENCE.sub("", text))]
    return "\n".join([*_FENCE.findall(text), *spans])


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found = set()
    for line in re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines():
        heading = re.match(r"#{1,6} (.*)", line)
        if heading:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            found.add(re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-"))
    return found


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for first, second in _LINK.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        target = first or second
        if re.match(r"[a-z]+://|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{target} leads nowhere"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}: no such heading"


def walk(group: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*way, name), command
        if hasattr(command, "commands"):
            yield from walk(command, (*way, name))


COMMANDS = dict(walk(typer.main.get_command(app)))
ROOT_OPTIONS = {name for parameter in typer.main.get_command(app).params for name in parameter.opts} | {"-h"}


@every_page
def test_commands_and_their_options_exist(page: Path) -> None:
    for call in _OTTO.findall(code_of(page.read_text(encoding="utf-8"))):
        words = call.split()
        while words and words[0].startswith("-"):
            assert words[0].partition("=")[0] in ROOT_OPTIONS, f"otto {call}"
            words = words[2:] if words[0] in ("--home", "--set") else words[1:]
        if not words or not re.fullmatch(r"[a-z]+", words[0]):
            continue
        way = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else (words[0],)
        assert way in COMMANDS, f"there is no `otto {' '.join(way)}`"
        known = {name for parameter in COMMANDS[way].params for name in parameter.opts} | {"--help", "-h"}
        for word in words:
            if re.match(r"--?[a-zA-Z]", word):
                assert word.partition("=")[0].rstrip(",.") in known, f"otto {call}"


@every_page
def test_settings_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {config.environment_name(name) for name, *_ in config.names()} | OTHER_VARIABLES
    for variable in re.findall(r"\b(?:OTTO|CLOWD)_[A-Z][A-Z_]*\b(?!\*)", text):
        assert variable in known, variable
    if page.parent.name == "reference":  # names events, files and fields, which look like settings
        return
    names = {name for name, *_ in config.names()} | FIELDS | EVENTS
    for span in (first or second for first, second in _SPAN.findall(_FENCE.sub("", text))):
        found = re.fullmatch(r"([a-z]+)\.([a-z][A-Za-z]+)(?:: .*)?", span)
        if found and found[1] in SECTIONS and found[2] != "yaml":
            assert f"{found[1]}.{found[2]}" in names, span


@every_page
def test_make_targets_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for target in re.findall(r"\bmake ([a-z-]+)", code_of(page.read_text(encoding="utf-8"))):
        assert target in targets, f"make {target}"


@every_page
def test_metrics_exist(page: Path) -> None:
    known = (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")
    collected = list(Metrics().registry.collect())
    samples = {sample.name for metric in collected for sample in metric.samples}
    families = {metric.name for metric in collected} | samples
    histograms = {metric.name for metric in collected if metric.type == "histogram"}
    roles = {"otto_controllers", "otto_release", "otto_state", "otto_config_digest"}
    for name in re.findall(r"\botto_[a-z_]+\b", page.read_text(encoding="utf-8")):
        family = re.sub(r"_(bucket|sum|count)$", "", name)  # of one whose labels are not known beforehand
        assert name in roles or name in families or f"`{name}`" in known or family in histograms, name


def specs_in(page: Path) -> list[str]:
    """Every block of a page that is a document for a spec repository."""
    blocks = _FENCE.findall(page.read_text(encoding="utf-8"))
    plain = (textwrap.dedent(re.sub(r"^```.*\n?", "", block, flags=re.MULTILINE)) for block in blocks)
    return [text for text in plain if text.startswith("apiVersion: otto/v1\n")]


def test_there_are_specs_to_try() -> None:
    assert len([text for page in PAGES for text in specs_in(page)]) > 8


@every_page
def test_specs_are_good_ones(page: Path) -> None:
    for text in specs_in(page):
        if "kind: FleetPolicy" in text:
            _, problems = parse_fleet_policy("policy.yaml", text.encode())
        else:
            problems = YamlSpecs().parse("specs/example.yaml", text.encode()).problems
        assert not problems, text


def test_every_phase_condition_layer_and_action_is_described() -> None:
    text = (DOCS / "reference" / "phases-and-conditions.md").read_text(encoding="utf-8")
    for named in (Phase, ConditionType, Obstacle, Layer, ActionKind, Outcome):
        for member in named:
            assert f"`{member.value}`" in text, f"{named.__name__} {member.value}"


@pytest.mark.parametrize("folder", ["how-to", "reference", "decisions"])
def test_every_page_of_a_folder_is_in_its_index(folder: str) -> None:
    index = (DOCS / folder / "README.md").read_text(encoding="utf-8")
    for page in (DOCS / folder).glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name


def test_the_module_contract_names_what_the_modules_have() -> None:
    text = (DOCS / "reference" / "module-contract.md").read_text(encoding="utf-8")
    for module in {path.parent for path in (ROOT / "infra" / "terraform").glob("*/*.tf")}:
        for kind, file in (("variable", "variables.tf"), ("output", "outputs.tf")):
            source = (module / file).read_text(encoding="utf-8")
            for name in re.findall(rf'^{kind} "([a-z_]+)"', source, re.MULTILINE):
                assert f"`{name}`" in text, f"{module.name}: {kind} {name}"


def test_the_tutorial_quotes_what_otto_up_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = config.load({})
    [spec] = YamlSpecs().parse("specs/hello.yaml", (ROOT / "specs" / "hello.yaml").read_bytes()).sites
    status = SiteStatus("hello", Phase.READY, datetime(2025, 1, 1, tzinfo=UTC))
    status = replace(status, endpoints=(Endpoint("10.203.251.2", 80, "http://10.203.251.2/"),))
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    otto, api = ".venv/bin/otto", "http://127.0.0.1:7070"
    welcome = farewell.welcome([farewell.Ready(status, spec)], settings, api, otto)
    goodbye = farewell.goodbye(serving=1, unfinished=0, otto=otto)
    said = [*welcome, *goodbye]
    for line, _ in said:
        assert f"    {line}".rstrip() in tutorial.splitlines(), line


def test_images_are_small() -> None:
    for image in (DOCS / "images").iterdir():
        assert image.stat().st_size < 150_000, image.name
