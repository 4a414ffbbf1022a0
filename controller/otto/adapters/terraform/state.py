"""Terraform's state file (version 4), read only and without Terraform: milliseconds, no provider."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otto.adapters.terraform.document import at, mapping, sequence, text
from otto.model.host import Endpoint, Host
from otto.model.observed import InfrastructureState
from otto.model.spec import Role

FORMAT = 4


@dataclass(frozen=True, slots=True)
class State:
    """What a state file holds, as far as OttO reads it.

    Attributes:
        serial: grows with every write.
        outputs: values by name.
        resources: managed resource address -> its attributes.
    """

    serial: int
    outputs: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]


def read(content: str) -> State | None:
    """Read a state file; None when it is empty, as before the first write.

    Raises:
        ValueError: it is no state, or one of an unknown version.
    """
    if not content.strip():
        return None
    document = json.loads(content)
    version = mapping(document).get("version")
    if version != FORMAT:
        raise ValueError(f"state version {version!r} is unknown, {FORMAT} is expected")
    outputs = mapping(document.get("outputs"))
    return State(
        serial=int(document.get("serial", 0)),
        outputs={name: mapping(output).get("value") for name, output in outputs.items()},
        resources=dict(_resources(document)),
    )


def infrastructure(state: State, host_types: Mapping[str, str]) -> InfrastructureState:
    """Hosts and endpoints out of the module's outputs.

    A failed apply leaves the outputs of the one before. A host whose resource the state no longer has
    is therefore left out, for the provider types that name theirs.

    Raises:
        ValueError: the outputs are not as the module contract says.
    """
    named = host_names(state, host_types)
    alive = None if not host_types or None in named.values() else frozenset(named.values())
    hosts = tuple(sorted((_host(item) for item in _list(state, "hosts")), key=lambda host: host.name))
    return InfrastructureState(
        hosts=tuple(host for host in hosts if alive is None or host.name in alive),
        endpoints=tuple(_endpoint(item) for item in _list(state, "endpoints")),
        controllers=tuple(str(item) for item in _list(state, "controllers")),
    )


def host_names(state: State, host_types: Mapping[str, str]) -> dict[str, str | None]:
    """Addresses of hosts, and their names; None where a name cannot be told."""
    named = {
        address: at(_plain(attributes), host_types[kind])
        for address, attributes in state.resources.items()
        if (kind := _type(address)) in host_types
    }
    return {address: name if isinstance(name, str) else None for address, name in named.items()}


def _resources(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (_address(resource, instance), mapping(instance.get("attributes")))
        for resource in map(mapping, sequence(document.get("resources")))
        if resource.get("mode") == "managed"
        for instance in map(mapping, sequence(resource.get("instances")))
        if "deposed" not in instance
    ]


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    module = text(resource.get("module"))
    base = f"{module}." if module else ""
    key = instance.get("index_key")
    index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
    return f"{base}{text(resource.get('type'))}.{text(resource.get('name'))}{index}"


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes without the wrapping that the state gives values whose type is decided late."""
    return {
        name: value["value"] if isinstance(value, dict) and value.keys() == {"value", "type"} else value
        for name, value in attributes.items()
    }


def _type(address: str) -> str:
    return address.partition("[")[0].rpartition(".")[0].rpartition(".")[2]


def _list(state: State, output: str) -> list[Any]:
    value = state.outputs.get(output)
    if value is not None and not isinstance(value, list):
        raise ValueError(f"output {output} is no list")
    return value or []


def _host(item: object) -> Host:
    fields = mapping(item)
    try:
        return Host(
            name=str(fields["name"]),
            role=Role(fields["role"]),
            id=str(fields["id"]),
            address=str(fields["address"]),
            private_address=str(fields["private_address"]),
            ssh_port=int(fields["ssh_port"]),
            ssh_user=str(fields["ssh_user"]),
            http_port=int(fields["http_port"]),
            host_key=str(fields["host_key"]),
            image=str(fields.get("image") or ""),  # states that an older OttO wrote have neither
            size=str(fields.get("size") or ""),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"output hosts: {fields.get('name', 'a host')} lacks a field: {error}") from error


def _endpoint(item: object) -> Endpoint:
    fields = mapping(item)
    try:
        return Endpoint(str(fields["address"]), int(fields["port"]), str(fields["url"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"output endpoints: an entry lacks a field: {error}") from error
