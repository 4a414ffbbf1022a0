"""Plans fit to be shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.terraform.redaction import MASK
from otto.adapters.terraform.scrubbing import masked, scrubbed

PLANS = sorted((Path(__file__).parent / "plans").iterdir())
SECRET = "correct-horse-battery"


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_sensitive_values_of_recorded_plans_are_masked(path: Path) -> None:
    plan = json.loads(path.read_text())
    shown = json.dumps(scrubbed(plan))
    assert SECRET in path.read_text()
    assert SECRET not in shown
    assert not {"variables", "prior_state", "configuration", "planned_values"} & json.loads(shown).keys()


def test_known_values_are_masked_where_nothing_marks_them() -> None:
    plan = json.loads((PLANS[0].parent / "create.json").read_text())
    plan["resource_changes"][0]["change"]["after"]["input"] = f"user:{SECRET}"
    assert SECRET not in json.dumps(scrubbed(plan, {SECRET}))


def test_what_is_not_sensitive_stays() -> None:
    plan = json.loads((PLANS[0].parent / "create.json").read_text())
    host: Any = scrubbed(plan)["resource_changes"]
    assert host[2]["change"]["after"]["input"] == {"label": "x", "name": "blog-web-1", "token": MASK}


@pytest.mark.parametrize(
    ("value", "marks", "shown"),
    [
        ("a", True, MASK),
        ("a", False, "a"),
        ("a", None, "a"),
        (None, True, MASK),
        ({"a": 1, "b": 2}, {"a": True}, {"a": MASK, "b": 2}),
        ({"a": {"b": [1, 2, 3]}}, {"a": {"b": [False, True]}}, {"a": {"b": [1, MASK, 3]}}),
        ([1, 2], {}, [1, 2]),
        ([1, 2], {"a": True}, MASK),
        ("a", [True], MASK),
        (None, {"a": True}, None),
    ],
)
def test_masking(value: object, marks: object, shown: object) -> None:
    assert masked(value, marks) == shown


values: st.SearchStrategy[Any] = st.recursive(
    st.just(SECRET) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def marks_for(value: Any) -> Any:
    """Marks as Terraform writes them for a value whose every string is sensitive."""
    if isinstance(value, dict):
        return {name: mark for name, item in value.items() if (mark := marks_for(item))}
    if isinstance(value, list):
        return [marks_for(item) or False for item in value]
    return isinstance(value, str)


@given(values)
def test_nothing_marked_is_left(value: Any) -> None:
    assert SECRET not in json.dumps(masked(value, marks_for(value)))
