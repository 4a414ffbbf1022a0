"""Plans recorded from Terraform 1.11, and what they come to."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.terraform.changes import changes, creations, drift
from otto.adapters.terraform.messages import Event
from otto.model.infrastructure import ResourceChange

PLANS = Path(__file__).parent / "plans"
TYPES = {"terraform_data": "input.name"}
SECRET = "correct-horse-battery"


def recorded(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PLANS / f"{name}.json").read_text())
    return content


def change(address: str, *verbs: str, **more: Any) -> ResourceChange:
    return ResourceChange(f"terraform_data.{address}", "terraform_data", verbs, **more)


HOST_1, HOST_2 = 'host["blog-web-1"]', 'host["blog-web-2"]'
FREE_1, FREE_2 = 'free["blog-web-1"]', 'free["blog-web-2"]'
GONE = "delete_because_each_key"

CASES = {
    "create": [
        change(FREE_1, "create", host="blog-web-1"),
        change(FREE_2, "create", host="blog-web-2"),
        change(HOST_1, "create", host="blog-web-1"),
        change(HOST_2, "create", host="blog-web-2"),
    ],
    "nothing": [],
    "update": [
        change(FREE_1, "update", changed=("input", "output"), host="blog-web-1"),
        change(FREE_2, "update", changed=("input", "output"), host="blog-web-2"),
        change(HOST_1, "update", changed=("input", "output"), host="blog-web-1"),
        change(HOST_2, "update", changed=("input", "output"), host="blog-web-2"),
    ],
    "replace_and_delete": [
        change(FREE_2, "delete", reason=GONE, host="blog-web-2"),
        change(
            HOST_1,
            "delete",
            "create",
            changed=("triggers_replace",),
            replace_for=("triggers_replace",),
            reason="replace_because_cannot_update",
            host="blog-web-1",
        ),
        change(HOST_2, "delete", reason=GONE, host="blog-web-2"),
    ],
    "destroy": [
        change(FREE_1, "delete", host="blog-web-1"),
        change(FREE_2, "delete", host="blog-web-2"),
        change(HOST_1, "delete", host="blog-web-1"),
        change(HOST_2, "delete", host="blog-web-2"),
    ],
    "moved": [change('free["blog-web-3"]', "no-op", reason="moved", host="blog-web-3")],
    "import": [
        change(FREE_1, "update", changed=("input", "output"), host="blog-web-1", importing=True),
    ],
    "outputs_only": [ResourceChange("output.more", "output", ("create",))],
}


@pytest.mark.parametrize("name", CASES)
def test_recorded_plans(name: str) -> None:
    assert list(changes(recorded(name), TYPES)) == CASES[name]


@pytest.mark.parametrize("name", CASES)
def test_no_value_of_a_plan_is_told(name: str) -> None:
    assert SECRET not in repr(changes(recorded(name), TYPES))


@given(st.sampled_from(sorted(CASES)), st.randoms(use_true_random=False))
def test_the_order_in_the_plan_does_not_matter(name: str, random: Any) -> None:
    plan = recorded(name)
    expected = changes(plan, TYPES)
    random.shuffle(plan["resource_changes"])
    assert changes(plan, TYPES) == expected


def drifted(name: str, address: str, *actions: str) -> dict[str, Any]:
    """A recorded plan that answers something changed outside Terraform."""
    plan = recorded(name)
    item = next(item for item in plan["resource_changes"] if item["address"] == address)
    outside = copy.deepcopy(item)
    outside["change"] |= {"actions": list(actions), "before": {"cpus": 1}, "after": {"cpus": 2}}
    outside["change"]["after_unknown"] = {}
    plan["resource_drift"] = [outside]
    return plan


def test_a_change_that_answers_drift_says_so() -> None:
    plan = drifted("update", f"terraform_data.{HOST_1}", "update")
    assert {item.address: item.drifted for item in changes(plan, TYPES)} == {
        f"terraform_data.{FREE_1}": False,
        f"terraform_data.{FREE_2}": False,
        f"terraform_data.{HOST_1}": True,
        f"terraform_data.{HOST_2}": False,
    }


def test_drift_alone_is_told_by_its_attributes() -> None:
    plan = drifted("update", f"terraform_data.{HOST_1}", "update")
    assert drift(plan, TYPES) == (
        change(HOST_1, "update", changed=("cpus",), host="blog-web-1", drifted=True),
    )
    assert drift(recorded("update"), TYPES) == ()


def test_outputs_that_follow_drift_say_so() -> None:
    plan = drifted("outputs_only", f"terraform_data.{HOST_1}", "update")
    assert changes(plan, TYPES) == (ResourceChange("output.more", "output", ("create",), drifted=True),)


def test_data_sources_and_refreshes_without_change_are_left_out() -> None:
    plan = drifted("create", f"terraform_data.{HOST_1}", "no-op")
    for item in plan["resource_changes"]:
        item["mode"] = "data"
    plan["output_changes"] = {}
    assert changes(plan, TYPES) == ()
    assert drift(plan, TYPES) == ()


def test_a_host_is_named_by_its_attribute_unless_that_is_sensitive() -> None:
    plan = recorded("destroy")
    item = plan["resource_changes"][2]
    assert item["address"].startswith("terraform_data.host")
    item["change"]["before"]["input"]["name"] = "other"
    assert changes(plan, TYPES)[2].host == "other"
    item["change"]["before_sensitive"]["input"]["name"] = True
    assert changes(plan, TYPES)[2].host == "blog-web-1"
    assert changes(plan, {})[2].host == ""


@pytest.mark.parametrize("version", [None, "2.0", 1, "0.1"])
def test_an_unknown_format_is_refused(version: object) -> None:
    with pytest.raises(ValueError, match="plan format"):
        changes({"format_version": version}, TYPES)
    with pytest.raises(ValueError, match="plan format"):
        drift({"format_version": version}, TYPES)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
resource = st.fixed_dictionaries(
    {},
    optional={
        "address": anything,
        "type": st.just("terraform_data") | anything,
        "index": anything,
        "change": anything
        | st.fixed_dictionaries(
            {},
            optional={
                "actions": anything | st.lists(st.sampled_from(["create", "delete", "no-op"]), max_size=2),
                "before": anything,
                "after": anything,
                "after_unknown": anything,
                "before_sensitive": anything,
                "replace_paths": anything | st.lists(st.lists(anything, max_size=2), max_size=2),
            },
        ),
    },
)


@given(st.lists(resource | anything, max_size=4), anything, anything)
def test_nothing_that_a_plan_holds_breaks_the_reader(items: list[Any], outside: Any, outputs: Any) -> None:
    plan = {
        "format_version": "1.2",
        "resource_changes": items,
        "resource_drift": outside,
        "output_changes": outputs,
    }
    changes(plan, TYPES)
    drift(plan, TYPES)


def planned(address: str, action: str, kind: str = "planned_change") -> Event:
    key = address.partition('"')[2].partition('"')[0]
    return Event(kind, f"terraform_data.{address}", "terraform_data", action, key=key)


def test_a_plan_that_only_creates_needs_not_be_shown() -> None:
    events = [
        Event("refresh_start", "data.lab_image.web"),
        planned(HOST_2, "create"),
        planned("image", "read"),
        planned(HOST_1, "create"),
        planned(FREE_1, "create"),
        planned(FREE_2, "create"),
        Event("planned_change", "other.thing", "other", "create", key="k"),
    ]
    expected = [*CASES["create"], ResourceChange("other.thing", "other", ("create",))]
    assert sorted(creations(events, TYPES), key=lambda item: item.address) == sorted(
        expected, key=lambda item: item.address
    )
    assert creations(events[:-1], TYPES) == changes(recorded("create"), TYPES)


@pytest.mark.parametrize(
    "other",
    [
        planned(HOST_2, "update"),
        planned(HOST_2, "replace"),
        planned(HOST_2, "delete"),
        planned(HOST_2, "import"),
        planned(HOST_2, "move"),
        planned(HOST_2, "update", "resource_drift"),
    ],
)
def test_any_other_plan_has_to_be_shown(other: Event) -> None:
    assert creations([planned(HOST_1, "create"), other], TYPES) == ()
    assert creations([], TYPES) == ()
