"""State files, version 4."""

import json
from typing import Any

import pytest

from otto.adapters.terraform.state import State, infrastructure, read
from otto.model.host import Endpoint, Host
from otto.model.observed import InfrastructureState
from otto.model.spec import Role


def host(name: str, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "role": "web",
        "id": f"id-{name}",
        "address": "127.0.0.1",
        "private_address": "10.0.0.2",
        "ssh_port": 2201,
        "ssh_user": "otto",
        "http_port": 8001,
        "host_key": "ssh-ed25519 AAAA",
        **more,
    }


def resource(key: object = None, **attributes: object) -> dict[str, object]:
    instance: dict[str, object] = {"attributes": attributes}
    if key is not None:
        instance["index_key"] = key
    return {
        "module": "module.site",
        "mode": "managed",
        "type": "lab_host",
        "name": "web",
        "instances": [instance],
    }


def document(**parts: Any) -> str:
    outputs = {name: {"value": value} for name, value in parts.pop("outputs", {}).items()}
    return json.dumps({"version": 4, "serial": 7, "outputs": outputs, "resources": [], **parts})


def parsed(**parts: Any) -> State:
    state = read(document(**parts))
    assert state is not None
    return state


def test_addresses_are_terraforms_own() -> None:
    resources = [
        resource("blog-web-1", id="a"),
        resource(0, id="b"),
        resource('odd "key"', id="c"),
        {
            "mode": "managed",
            "type": "lab_network",
            "name": "site",
            "instances": [{"attributes": {"id": "n"}}],
        },
        {"mode": "data", "type": "lab_image", "name": "web", "instances": [{"attributes": {}}]},
        {"mode": "managed", "type": "x", "name": "y", "instances": [{"deposed": "00", "attributes": {}}]},
    ]
    state = parsed(resources=resources)
    assert state.serial == 7
    assert {address: attributes["id"] for address, attributes in state.resources.items()} == {
        'module.site.lab_host.web["blog-web-1"]': "a",
        "module.site.lab_host.web[0]": "b",
        'module.site.lab_host.web["odd \\"key\\""]': "c",
        "lab_network.site": "n",
    }


def test_outputs_become_hosts_and_endpoints() -> None:
    outputs = {
        "hosts": [host("blog-web-2"), host("blog-web-1")],
        "endpoints": [{"address": "127.0.0.1", "port": 8080, "url": "http://127.0.0.1:8080/"}],
        "controllers": ["10.0.0.1"],
    }
    found = infrastructure(parsed(outputs=outputs), {})
    assert [item.name for item in found.hosts] == ["blog-web-1", "blog-web-2"]
    assert found.hosts[0] == Host(
        "blog-web-1",
        Role.WEB,
        "id-blog-web-1",
        "127.0.0.1",
        "10.0.0.2",
        2201,
        "otto",
        8001,
        "ssh-ed25519 AAAA",
    )
    assert found.endpoints == (Endpoint("127.0.0.1", 8080, "http://127.0.0.1:8080/"),)
    assert found.controllers == ("10.0.0.1",)


def test_hosts_that_lost_their_resource_are_left_out() -> None:
    outputs = {"hosts": [host("blog-web-1"), host("blog-web-2")]}
    state = parsed(outputs=outputs, resources=[resource("blog-web-1", name="blog-web-1")])
    assert [item.name for item in infrastructure(state, {"lab_host": "name"}).hosts] == ["blog-web-1"]
    assert len(infrastructure(state, {}).hosts) == 2
    assert len(infrastructure(state, {"lab_host": "elsewhere"}).hosts) == 2
    gone = parsed(outputs=outputs)
    assert not infrastructure(gone, {"lab_host": "name"}).hosts


def test_values_of_late_types_are_unwrapped() -> None:
    name = {"value": {"name": "blog-web-1"}, "type": ["object", {"name": "string"}]}
    state = parsed(outputs={"hosts": [host("blog-web-1")]}, resources=[resource("k", input=name)])
    assert len(infrastructure(state, {"lab_host": "input.name"}).hosts) == 1


def test_without_outputs_there_are_no_hosts() -> None:
    assert infrastructure(parsed(), {}) == InfrastructureState()


@pytest.mark.parametrize("content", ["", "  \n"])
def test_an_empty_file_is_no_state(content: str) -> None:
    assert read(content) is None


@pytest.mark.parametrize("content", ["{", "[]", "3", "null", '{"version": 3}', '{"version": "4"}'])
def test_what_is_no_state_is_refused(content: str) -> None:
    with pytest.raises(ValueError):
        read(content)


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"hosts": "none"}, "output hosts is no list"),
        ({"hosts": [3]}, "a host lacks a field: 'name'"),
        ({"hosts": [host("blog-web-1", ssh_port=None)]}, "blog-web-1"),
        ({"hosts": [host("blog-web-1", role="queen")]}, "queen"),
        ({"endpoints": [{"address": "x"}]}, "output endpoints"),
    ],
)
def test_outputs_that_break_the_contract_are_refused(outputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        infrastructure(parsed(outputs=outputs), {})


def test_a_host_tells_its_image_and_an_older_state_none() -> None:
    named = host("blog-web-1", image="sha256:0123")
    state = infrastructure(
        parsed(outputs={"hosts": [named, host("blog-web-2"), host("blog-web-3", image=None)]}), {}
    )
    assert [one.image for one in state.hosts] == ["sha256:0123", "", ""]
