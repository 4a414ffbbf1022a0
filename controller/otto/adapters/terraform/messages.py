"""Lines of Terraform's machine-readable output, read one by one.

The format is "Machine-readable UI Output Reference" of Terraform (ui 1.x), the same in OpenTofu. Some
lines are plain text all the same (Terraform prints a few during `init`, panics go to standard error).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otto.adapters.terraform.document import mapping, text, whole


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning.

    Attributes:
        severity: `error` or `warning`.
        summary: one line.
        detail: the rest, "" when there is none.
        address: resource or provider it speaks of, "" for none.
        located: whether it points at a place in the configuration.
        attribute: whether that place is one argument rather than the head of a block.
    """

    severity: str
    summary: str
    detail: str = ""
    address: str = ""
    located: bool = False
    attribute: bool = False

    @property
    def is_error(self) -> bool:
        """Whether it is an error."""
        return self.severity == "error"

    def __str__(self) -> str:
        where = f" ({self.address})" if self.address else ""
        return f"{self.summary}{where}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one resource.

    Attributes:
        type: `apply_start`, `apply_complete`, `apply_errored`, `refresh_start`, `planned_change`, ….
        address: the resource's address.
        resource: its type and name, without module and key.
        action: `create`, `update`, `delete`, ….
        seconds: how long it took, where that is said.
        key: the resource's key among those of its name, "" when it has none or a number.
    """

    type: str
    address: str
    resource: str = ""
    action: str = ""
    seconds: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line that is no message."""

    line: str


Message = Diagnostic | Event | Text

# Colours and the like (ECMA-48), which some commands print whatever they are told.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_BLOCK_HEADS = ("resource ", "data ", "provider ", "module ", "ephemeral ", "terraform ")


def read(line: bytes) -> Message | None:
    """One line of output; None when it says nothing of use. Never raises, whatever the line holds."""
    decoded = _CONTROL.sub("", line.decode(errors="replace")).strip()
    if not decoded:
        return None
    try:
        content = json.loads(decoded)
    except (ValueError, RecursionError):
        return Text(decoded)
    if not isinstance(content, dict):
        return Text(decoded)
    return _message(content)


def _message(content: Mapping[str, Any]) -> Message | None:
    kind = text(content.get("type"))
    if kind == "diagnostic":
        return _diagnostic(mapping(content.get("diagnostic")))
    happening = mapping(content.get("hook")) or mapping(content.get("change"))
    resource = mapping(happening.get("resource"))
    address = text(resource.get("addr"))
    if not address:
        return None
    return Event(
        type=kind,
        address=address,
        resource=text(resource.get("resource_type")),
        action=text(happening.get("action")),
        seconds=whole(happening.get("elapsed_seconds")),
        key=text(resource.get("resource_key")),
    )


def _diagnostic(content: Mapping[str, Any]) -> Diagnostic:
    code = text(mapping(content.get("snippet")).get("code")).strip()
    located = bool(mapping(content.get("range")))
    return Diagnostic(
        severity=text(content.get("severity")) or "error",
        summary=text(content.get("summary")).strip() or "unspecified error",
        detail=text(content.get("detail")).strip(),
        address=text(content.get("address")),
        located=located,
        attribute=located and bool(code) and not code.startswith(_BLOCK_HEADS),
    )
