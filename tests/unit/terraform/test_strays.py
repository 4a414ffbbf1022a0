"""What is alive and in no state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.terraform.backend import LiveResource
from otto.adapters.terraform.planning import Strays, host_names, refuse_foreign, replaced, strays
from otto.adapters.terraform.state import State
from otto.model.errors import TerminalError
from otto.model.infrastructure import InfrastructureInputs, ResourceChange
from otto.model.spec import HostGroup, Provider

NAMES = frozenset({"blog-web-1", "blog-web-2"})


def host(name: str, number: int = 0, *, ours: bool = True) -> LiveResource:
    return LiveResource(f'lab_host.web["{name}"]', f"{name}-{number}", f"otto-{name}", name, ours)


NETWORK = LiveResource("lab_network.site", "network", "otto-blog")


def state(*items: LiveResource) -> State:
    return State(1, {}, {f"module.site.{item.address}": {} for item in items})


def test_names_of_hosts() -> None:
    group = HostGroup(2, "small", "image")
    inputs = InfrastructureInputs("blog", Provider.LAB, group, HostGroup(1, "small", "image"))
    assert host_names(inputs) == {"blog-web-1", "blog-web-2", "blog-balancer-1"}


def test_wanted_is_imported_the_rest_is_left_alone() -> None:
    live = [host("blog-web-9"), host("blog-web-2"), host("blog-web-1"), NETWORK]
    assert strays(live, state(host("blog-web-1")), NAMES) == Strays(wanted=(host("blog-web-2"), NETWORK))


def test_of_two_with_one_name_one_is_imported() -> None:
    live = [host("blog-web-1", 2), host("blog-web-1", 1)]
    assert strays(live, None, NAMES) == Strays(wanted=(host("blog-web-1", 1),))


def test_what_the_state_knows_is_left_to_terraform() -> None:
    live = [host("blog-web-1"), host("blog-web-9")]
    assert strays(live, state(*live), NAMES) == Strays()


def test_what_took_the_place_of_something_gone_is_imported_anew() -> None:
    known = State(1, {}, {f"module.site.{host('blog-web-1').address}": {"id": "gone"}})
    here = replace(host("blog-web-1"), identity="here")
    assert strays([here], known, NAMES) == Strays(wanted=(here,), superseded=(f"module.site.{here.address}",))
    same = replace(here, identity="gone")
    assert strays([same], known, NAMES) == Strays()
    assert strays([same, here], known, NAMES) == Strays()


def test_only_hosts_that_the_state_holds_are_made_anew() -> None:
    held = {f"module.site.{host(name).address}": {"name": name} for name in ("blog-web-1", "blog-web-2")}
    known = State(1, {}, held | {"module.site.lab_network.site": {"name": "blog-web-2"}})
    names = {"blog-web-2", "blog-web-9"}
    assert replaced(known, {"lab_host": "name"}, names) == [f"module.site.{host('blog-web-2').address}"]
    assert replaced(None, {"lab_host": "name"}, names) == []
    assert replaced(known, {}, names) == []


@given(st.permutations([host("blog-web-1"), host("blog-web-9"), host("blog-web-2", ours=False), NETWORK]))
def test_order_does_not_matter(live: list[LiveResource]) -> None:
    assert strays(live, None, NAMES) == strays(sorted(live, key=lambda item: item.id), None, NAMES)


def test_foreign_names_matter_only_where_something_is_created() -> None:
    foreign = [host("blog-web-1", ours=False)]
    address = f"module.site.{foreign[0].address}"
    refuse_foreign([ResourceChange(address, "lab_host", ("update",))], foreign)
    refuse_foreign([ResourceChange("module.site.other", "lab_host", ("create",))], foreign)
    with pytest.raises(TerminalError, match=r"otto-blog-web-1 \(blog-web-1-0\)"):
        refuse_foreign([ResourceChange(address, "lab_host", ("delete", "create"))], foreign)
