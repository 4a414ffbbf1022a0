"""Lines of Terraform's output, recorded and made up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.terraform.messages import Diagnostic, Event, Text, read


def line(**content: object) -> bytes:
    return json.dumps({"@level": "info", "@message": "…", **content}).encode()


RESOURCE = {
    "addr": 'module.site.lab_host.web["blog-web-1"]',
    "module": "module.site",
    "resource_type": "lab_host",
    "resource_key": "blog-web-1",
}


def test_events_of_resources() -> None:
    hook = {"resource": RESOURCE, "action": "create", "elapsed_seconds": 2}
    assert read(line(type="apply_complete", hook=hook)) == Event(
        "apply_complete", RESOURCE["addr"], "lab_host", "create", 2, "blog-web-1"
    )
    change = {"resource": RESOURCE, "action": "update"}
    assert read(line(type="planned_change", change=change)) == Event(
        "planned_change", RESOURCE["addr"], "lab_host", "update", key="blog-web-1"
    )


def test_diagnostics() -> None:
    diagnostic: dict[str, Any] = {
        "severity": "error",
        "summary": "Invalid value for variable",
        "detail": "Sizes are small and medium.\n",
        "range": {"filename": "main.tf.json"},
        "snippet": {"code": '{"terraform": {}}'},
    }
    assert read(line(type="diagnostic", diagnostic=diagnostic)) == Diagnostic(
        "error", "Invalid value for variable", "Sizes are small and medium.", "", located=True, attribute=True
    )
    diagnostic |= {"address": "lab_host.web", "snippet": {"code": 'resource "lab_host" "web" {'}}
    met = read(line(type="diagnostic", diagnostic=diagnostic))
    assert isinstance(met, Diagnostic)
    assert met.located
    assert not met.attribute
    assert str(met) == "Invalid value for variable (lab_host.web): Sizes are small and medium."


def test_a_diagnostic_without_words_is_an_error_all_the_same() -> None:
    assert read(line(type="diagnostic")) == Diagnostic("error", "unspecified error")


@pytest.mark.parametrize(
    "content",
    [
        line(type="version", terraform="1.11.4"),
        line(type="change_summary", changes={"add": 1}),
        line(type="apply_start", hook=[]),
        line(type="apply_start", hook={"resource": {"addr": 3}}),
        line(type=3),
        b"",
        b"  \n",
    ],
)
def test_what_says_nothing(content: bytes) -> None:
    assert read(content) is None


@pytest.mark.parametrize("content", [b"panic: runtime error", b"[1, 2]", b'"text"', b"3", b"{", b"[" * 5000])
def test_what_is_no_message(content: bytes) -> None:
    assert read(content) == Text(content.decode())


def test_colours_are_taken_out() -> None:
    assert read(b"\x1b[31mError \x1b[1;4mreading\x1b[0m\x07\r\n") == Text("Error reading")


@given(st.binary())
def test_no_bytes_break_the_reader(content: bytes) -> None:
    read(content)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["diagnostic", "apply_start", "apply_complete"]) | anything},
    optional={"hook": anything, "change": anything, "diagnostic": anything},
)


@given(messages)
def test_no_message_breaks_the_reader(content: dict[str, Any]) -> None:
    read(json.dumps(content).encode())
