"""What goes into an image and its digest; what Packer and the smoke test say."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from otto import resources
from otto.adapters.packer import recipes, smoke
from otto.adapters.packer.recipes import Ingredients
from otto.adapters.packer.telling import Story, Word, word
from otto.model.errors import TerminalError, UsageError
from otto.model.image import Build
from otto.model.spec import Provider

ROLES = {"base": "1", "nginx": "1", "haproxy": "1", "content": "1"}


@pytest.fixture
def given(tmp_path: Path) -> Ingredients:
    shutil.copytree(resources.path("images"), tmp_path / "images")
    return Ingredients(tmp_path / "images", ROLES, "localhost/base:1", {})


def build(given: Ingredients, name: str = "nginx", provider: Provider = Provider.LAB) -> Build:
    return recipes.builds(recipes.chosen([name]), provider, given)[-1]


def test_a_digest_stays_while_nothing_changes_wherever_it_is_built(given: Ingredients) -> None:
    digests = {build(given, provider=provider).digest for provider in Provider}
    assert digests == {build(given).digest}
    assert build(given).digest.startswith("sha256:")


@pytest.mark.parametrize(
    "change",
    [
        {"base": "localhost/base:2"},
        {"roles": ROLES | {"nginx": "2"}},
        {"roles": ROLES | {"base": "2"}},
        {"variables": {"aws_region": "us-east-1"}},
    ],
)
def test_a_digest_changes_with_all_that_goes_in(given: Ingredients, change: dict[str, object]) -> None:
    assert build(replace(given, **change)).digest != build(given).digest  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "nginx/nginx.pkr.hcl"),
        ("nginx", "common/sources.pkr.hcl"),
        ("nginx", "scripts/prepare"),
        ("nginx", "scripts/clean"),
        ("otto", "scripts/controller"),
        ("clowd", "scripts/controller"),
        ("clowd", "scripts/box"),
        ("clowd", "clowd/boot"),
    ],
)
def test_a_digest_changes_with_the_templates(given: Ingredients, image: str, name: str) -> None:
    before = build(given, image).digest
    (given.templates / name).write_text("# another\n")
    assert build(given, image).digest != before


@pytest.mark.parametrize(
    "name", ["haproxy/haproxy.pkr.hcl", "plugins/plugins.pkr.hcl", "smoke.py", "scripts/box", "clowd/boot"]
)
def test_a_digest_stays_when_something_changes_that_does_not_go_in(given: Ingredients, name: str) -> None:
    before = build(given).digest
    (given.templates / name).write_text("# another\n")
    changed = replace(given, roles=ROLES | {"content": "2", "haproxy": "2"})
    assert build(changed).digest == before


def test_an_unknown_image_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no image 'apache'.*nginx"):
        recipes.chosen(["apache"])


def test_parents_come_before_their_children_and_each_image_once() -> None:
    for names in ([], ["clowd"] if "clowd" in recipes.RECIPES else [], ["nginx", "nginx"]):
        chosen = recipes.chosen(names)
        seen: set[str] = {""}
        for recipe in chosen:
            assert recipe.parent in seen
            seen.add(recipe.name)
        assert len(chosen) == len({recipe.name for recipe in chosen})


def test_only_declared_variables_are_taken_from_the_environment() -> None:
    environ = {"PKR_VAR_aws_region": "x", "PKR_VAR_owner": "y", "PKR_VAR_nonsense": "z", "HOME": "/"}
    assert recipes.set_in(environ, resources.path("images")) == {"aws_region": "x"}


def test_every_image_has_a_template_and_a_smoke_test() -> None:
    script = resources.path("images", "smoke.py").read_text(encoding="utf-8")
    for name in recipes.RECIPES:
        assert resources.path("images", name, f"{name}.pkr.hcl").is_file()
        assert f'"{name}": ' in script


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "1,,ui,say,==> docker.lab: Starting docker container...",
            Word("say", "Starting docker container..."),
        ),
        ("1,,ui,message,    docker.lab: a%!(PACKER_COMMA) b", Word("message", "a, b")),
        ("1,,ui,error,Build 'docker.lab' errored", Word("error", "Build 'docker.lab' errored")),
        ("1,docker.lab,artifact,0,id,sha256:1", Word("artifact", "0,id,sha256:1")),
        ("1,,ui,message,    docker.lab: \x1b[31mred\x1b[0m", Word("message", "red")),
        ("panic: something", Word("message", "panic: something")),
        ("1,,ui,say,", None),
        ("\n", None),
    ],
)
def test_lines_of_packers_are_read(line: str, expected: Word | None) -> None:
    assert word(line) == expected


def test_a_story_tells_the_artifact_and_why_it_failed() -> None:
    story = Story()
    for line in (
        "1,,ui,say,==> docker.lab: Provisioning with Ansible...",
        '1,,ui,message,    docker.lab: fatal: [golden]: FAILED! => {"a": 1%!(PACKER_COMMA) "msg": "bad"}',
        "1,,ui,error,==> docker.lab: Error executing Ansible",
        "1,docker.lab,artifact,0,id,abc",
    ):
        heard = word(line)
        assert heard is not None
        story.hear(heard)
    assert (story.artifact, story.reason) == ("abc", "bad")


def test_milestones_are_steps_and_tasks() -> None:
    assert Word("say", "Starting docker container...").milestone == ("booting a machine to build in", 5)
    assert Word("message", "TASK [nginx : Write it] ****").milestone == ("Write it", 0)
    assert Word("message", "ok: [golden]").milestone == ("", 0)


def answer(*checks: list[object]) -> bytes:
    return json.dumps({"checks": checks, "seconds": 0.5}).encode()


def test_a_smoke_test_passes_when_every_check_held() -> None:
    tested = smoke.read("nginx", answer(["a", True, "yes"], ["b", True, "ok"]))
    assert (tested.passed, tested.checks, smoke.failures(tested)) == (True, ("a: yes", "b: ok"), ())


def test_a_smoke_test_fails_with_one_check_that_did_not_hold_or_with_none_at_all() -> None:
    tested = smoke.read("nginx", answer(["a", True, "yes"], ["b", "true", "no\x1b[31m"]))
    assert not tested.passed
    assert smoke.failures(tested) == ("b: no [31m",)
    assert not smoke.read("nginx", answer()).passed


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"checks": 1, "seconds": 1}', b"\xff", b"[" * 100_000])
def test_nonsense_from_a_host_is_an_error_of_the_image(text: bytes) -> None:
    with pytest.raises(TerminalError, match="nonsense"):
        smoke.read("nginx", text)
