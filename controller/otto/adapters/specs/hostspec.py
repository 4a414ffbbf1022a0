"""Documents of kind Host: what their schema cannot say, and the machine that they declare."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from otto.adapters.specs.document import Flaw, Place, Value
from otto.adapters.specs.rules import flaw
from otto.adapters.specs.text import quoted
from otto.model.declared import DeclaredHost
from otto.model.spec import Role

_MADE = re.compile(r".+-(?:web|balancer)-[0-9]+")
_ADDRESSES = ("address", "privateAddress")


def host(document: Mapping[str, Any], path: str, line: int) -> DeclaredHost:
    """The machine that a valid document, its defaults filled in, declares."""
    metadata, spec = document["metadata"], document["spec"]
    return DeclaredHost(
        name=metadata["name"],
        address=spec["address"],
        host_key=spec["hostKey"],
        site=spec.get("site", ""),
        role=Role(spec["role"]),
        ssh_port=spec["sshPort"],
        http_port=spec["httpPort"],
        private_address=spec.get("privateAddress", ""),
        labels=dict(metadata["labels"]),
        file=path,
        line=line,
    )


def host_flaws(value: dict[str, Value], place: Place) -> Iterator[Flaw]:
    """What is wrong with a document that its schema accepts."""
    metadata: Any = value["metadata"]
    spec: Any = value["spec"]
    if _MADE.fullmatch(metadata["name"]):
        message = "names like this are those of hosts that OttO makes"
        mend = "give it a name that does not end with -web-N or -balancer-N"
        yield flaw(place, ("metadata", "name"), message, found=quoted(metadata["name"]), mend=mend)
    for field in _ADDRESSES:
        if field in spec and (why := _unfit(spec[field])):
            yield flaw(place, ("spec", field), why, found=quoted(spec[field]))


def _unfit(text: str) -> str:
    """Why a machine cannot have this address, "" when it can."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        if ":" in text or text.replace(".", "").isdigit():
            return "this is no address"
        if text.lower() == "localhost" or text.lower().endswith(".localhost"):
            return "this is the controller itself"
        return "" if _is_name(text) else "this is no host name"
    mapped = getattr(found, "ipv4_mapped", None) or found
    if mapped.is_loopback or mapped.is_unspecified:
        return "this is the controller itself"
    if mapped.is_link_local or mapped.is_multicast or mapped.is_reserved:
        return "no machine is declared by such an address"
    return ""


def _is_name(text: str) -> bool:
    return all(
        re.fullmatch(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?", label) for label in text.split(".")
    )
