"""What engines tell of containers, read as what happened to hosts."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from otto.lab.events import event
from otto.model.host import HostEvent, HostEventKind

LABELS = {"otto.owner": "0123abcd", "otto.site": "shop", "otto.host": "shop-web-1", "otto.role": "web"}
# Podman 4.3, by its Docker API.
PODMAN: dict[str, Any] = {
    "status": "remove",
    "id": "997b",
    "from": "sha256:f873",
    "Type": "container",
    "Action": "remove",
    "Actor": {"ID": "997b", "Attributes": {"containerExitCode": "0", "name": "otto-0123abcd-shop", **LABELS}},
    "scope": "local",
    "time": 1795468920,
    "timeNano": 1795468920521802221,
}


def told(**changes: object) -> bytes:
    return json.dumps(PODMAN | changes).encode() + b"\n"


def labelled(**labels: str) -> dict[str, object]:
    named = {f"otto.{name}": value for name, value in labels.items()}
    return {"ID": "997b", "Attributes": {**LABELS, **named}}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("start", HostEventKind.STARTED),
        ("die", HostEventKind.DIED),
        ("pause", HostEventKind.PAUSED),
        ("unpause", HostEventKind.RESUMED),
        ("remove", HostEventKind.REMOVED),
        ("destroy", HostEventKind.REMOVED),
    ],
)
def test_what_happens_to_a_host_is_told(action: str, kind: HostEventKind) -> None:
    at = datetime(2026, 11, 23, 21, 22, 0, 521802, UTC)
    expected = HostEvent("shop", "shop-web-1", "997b", kind, at)
    assert event(told(Action=action, status=action), "0123abcd") == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": "create"},
        {"Action": "cleanup"},
        {"Action": "exec_create: /bin/sh"},
        {"Action": "health_status: healthy"},
        {"Actor": labelled(owner="somebody")},
        {"Actor": labelled(host="")},
        {"Actor": labelled(site="")},
        {"Actor": {"ID": "997b", "Attributes": None}},
        {"Type": "network", "Action": "disconnect", "Actor": {}},
    ],
)
def test_the_rest_is_passed_over(changes: dict[str, object]) -> None:
    assert event(told(**changes), "0123abcd") is None


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"not JSON",
        b"[]",
        b'"die"',
        told(Actor="997b"),
        told(Actor={"ID": "997b", "Attributes": "none"}),
        told(Action=["die"]),
        told(timeNano="now"),
        told(timeNano=10**40),
        json.dumps({name: PODMAN[name] for name in PODMAN if name != "timeNano"}).encode(),
    ],
)
def test_what_is_no_event_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        event(line, "0123abcd")
