"""Whatever a file holds, it is judged, not stumbled over."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.specs.schema import kind
from otto.adapters.specs.text import safe
from otto.model.catalogue import SpecFile

from .writing import MINIMAL, parse

_KEYS = st.sampled_from(
    [
        *("apiVersion", "kind", "metadata", "spec", "name", "labels", "web", "count", "size", "domains"),
        *("content", "path", "git", "ref", "checks", "headers", "timeout", "status", "dependsOn", "suspend"),
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["otto/v1", "Site", "hello", "a.example", "/", "sites/hello", "lab", "small", "no", "010"]
    )
    | st.text(max_size=20)
)
VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=20,
)


@st.composite
def nearly_specs(draw: st.DrawFn) -> dict[str, Any]:
    """A good spec with some of its values exchanged."""
    document: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    for _ in range(draw(st.integers(1, 4))):
        target = document
        while True:
            key = draw(st.sampled_from(sorted(target)) | _KEYS) if target else draw(_KEYS)
            inner = target.get(key)
            if isinstance(inner, dict) and draw(st.booleans()):
                target = inner
                continue
            target[key] = draw(VALUES)
            break
    return document


def _sound(file: SpecFile, text: str) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    for problem in file.problems:
        assert str(problem).isprintable()
        if problem.line:
            # libyaml also breaks lines at NEL, LS and PS, and reports the end of input a line on.
            breaks = sum(text.count(mark) for mark in ("\x85", "\u2028", "\u2029", "\r"))
            assert 1 <= problem.line <= len(lines) + breaks + 1
            assert problem.column >= 1
    names = [site.name for site in file.sites]
    assert set(names) <= set(file.names)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    _sound(parse(data), data.decode("utf-8", "replace"))


@given(st.text(alphabet="ab:-?&*!|>'\"%@`#{}[], \n\t0~<=\\xné", max_size=120))
@settings(max_examples=300)
def test_any_text_of_yaml_characters(text: str) -> None:
    _sound(parse(text), text)


@given(nearly_specs())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_nearly_good_specs(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, allow_unicode=False)
    file = parse(text)
    _sound(file, text)
    assert bool(file.sites) != bool(file.problems)


@given(nearly_specs() | VALUES)
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_the_quick_answer_is_jsonschemas(document: Any) -> None:
    site = kind("Site")
    assert site.fits(document) == (next(site.validator.iter_errors(document), None) is None)


@given(nearly_specs())
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_problems_stand_where_the_value_stands(document: dict[str, Any]) -> None:
    """One value a line, so that the line of a problem can be looked up by its pointer."""
    text = yaml.safe_dump(
        document, default_flow_style=False, width=10_000, sort_keys=False, allow_unicode=False
    )
    file = parse(text)
    for problem in file.problems:
        line = text.split("\n")[problem.line - 1]
        steps = [step.replace("~1", "/").replace("~0", "~") for step in problem.pointer.split("/")[1:]]
        plain = bool(steps) and steps[-1].isidentifier() and steps[-1].isascii()
        if plain and problem.message.startswith("unknown field"):
            assert line.strip(" -").startswith((steps[-1], f"'{steps[-1]}", f'"{steps[-1]}', "? "))


@given(st.text(max_size=500), st.integers(10, 80))
def test_safe_text_is_safe(text: str, longest: int) -> None:
    shown = safe(text, longest)
    assert shown.isprintable()
    assert len(shown) <= max(longest * 6, 10)
