"""The provider's judgement of configurations, its plans, its certificate."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tf.checker import check_attributes
from tf.iface import PlanContext
from tf.types import Unknown
from tf.utils import Diagnostics

from otto.lab.provider import certificate, schema
from otto.lab.provider.connection import told
from otto.lab.provider.host import LabHost
from otto.lab.provider.image import LabImage
from otto.lab.provider.lab import LabProvider
from otto.lab.provider.network import LabNetwork
from otto.model.errors import TerminalError

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+E otto@host"


def current(**changes: Any) -> dict[str, Any]:
    state = {
        "name": "shop-web-1",
        "site": "shop",
        "owner": "0123abcd",
        "role": "web",
        "index": 1,
        "size": "small",
        "container": "otto-0123abcd-shop-web-1",
        "state": "running",
        "connected": True,
        "cpus": 0.5,
        "memory": 256,
        "host_key": "ssh-ed25519 AAAA",
    }
    return state | changes


def planned(before: dict[str, Any], **changes: Any) -> dict[str, Any]:
    context = PlanContext(Diagnostics(), "lab_host", set())
    after = LabHost(LabProvider()).plan(context, before, before | changes)
    assert not context.diagnostics.has_errors()
    assert after is not None
    return {name: after[name] for name in after if after[name] != before.get(name)}


def test_nothing_drifted_nothing_planned() -> None:
    assert planned(current()) == {}


@pytest.mark.parametrize("state", ["exited", "paused", "created", "dead"])
def test_a_host_that_does_not_run_is_wanted_back(state: str) -> None:
    assert planned(current(state=state)) == {"state": "running"}


def test_a_renamed_host_gets_its_name_back() -> None:
    assert planned(current(container="mine")) == {"container": "otto-0123abcd-shop-web-1"}


def test_a_disconnected_host_is_connected_again() -> None:
    assert planned(current(connected=False)) == {"connected": True}


def test_a_new_size_brings_its_limits() -> None:
    assert planned(current(), size="large") == {"size": "large", "cpus": 2.0, "memory": 1024}


def test_changed_limits_are_set_back() -> None:
    before = current(size="0.75 CPU, 256 MiB", cpus=0.75)
    assert planned(before, size="small") == {"size": "small", "cpus": 0.5}


def test_a_size_not_known_yet() -> None:
    assert planned(current(), size=Unknown) == {"size": Unknown, "cpus": Unknown, "memory": Unknown}


def test_a_missing_host_key_is_read_again() -> None:
    assert planned(current(host_key="")) == {"host_key": Unknown}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "Shop"),
        ("name", "-shop"),
        ("name", "a" * 64),
        ("role", "cache"),
        ("size", "huge"),
        ("index", 0),
        ("index", 1.5),
        ("authorized_key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("authorized_key", f"{KEY}\n{KEY}"),
    ],
)
def test_bad_values_are_refused(name: str, value: object) -> None:
    diagnostics = Diagnostics()
    schema.check(diagnostics, {name: value})
    [found] = diagnostics.diagnostics
    assert found.path == [name]
    assert "Allowed" in found.detail


@pytest.mark.parametrize("value", [None, Unknown])
def test_what_is_not_known_is_not_judged(value: object) -> None:
    diagnostics = Diagnostics()
    schema.check(diagnostics, dict.fromkeys(("name", "role", "size", "index", "authorized_key"), value))
    assert not diagnostics.diagnostics


def test_good_values_pass() -> None:
    diagnostics = Diagnostics()
    good = {"name": "shop-web-1", "role": "web", "size": "small", "index": 1, "authorized_key": KEY}
    schema.check(diagnostics, good)
    assert not diagnostics.diagnostics


@pytest.mark.parametrize("kind", [LabHost, LabNetwork, LabImage])
def test_schemas_are_consistent(kind: Any) -> None:
    diagnostics = Diagnostics()
    check_attributes(diagnostics, kind.get_schema().attributes)
    assert not diagnostics.diagnostics


def test_a_bad_pool_is_told() -> None:
    diagnostics = Diagnostics()
    LabProvider().validate_config(diagnostics, {"socket": "/x", "pool": "8.8.8.0/24"})
    assert "not a private network" in diagnostics.diagnostics[0].summary


def test_an_unset_socket_is_told() -> None:
    diagnostics = Diagnostics()
    provider = LabProvider()
    provider.configure_provider(diagnostics, {"socket": None, "pool": None})
    told(diagnostics, provider.connection.api, None)
    assert "was not told its socket" in diagnostics.diagnostics[0].summary


def test_errors_become_diagnostics_with_their_mend() -> None:
    def fail() -> str:
        raise TerminalError("no such thing", mend="make one", detail="tool says")

    diagnostics = Diagnostics()
    assert told(diagnostics, fail, "before") == "before"
    [found] = diagnostics.diagnostics
    assert (found.summary, found.detail) == ("no such thing", "Mend: make one\ntool says")


def test_bugs_of_ours_do_not_cost_the_state(capfd: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, str] = {}
    diagnostics = Diagnostics()
    assert told(diagnostics, lambda: nothing["missing"], "before") == "before"
    assert "KeyError" in diagnostics.diagnostics[0].summary
    assert "Traceback" in capfd.readouterr().err


def test_a_certificate_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    made = certificate.certificate(file, NOW)
    assert certificate.certificate(file, NOW + timedelta(days=5)) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.key not in repr(made)


def test_a_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    made = certificate.certificate(file, NOW)
    assert certificate.certificate(file, NOW + timedelta(days=6, hours=1)) != made


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": 1, "chain": 2, "until": 3}', "\x00"])
def test_a_damaged_certificate_is_replaced(tmp_path: Path, text: str) -> None:
    file = tmp_path / "certificate.json"
    file.write_text(text)
    made = certificate.certificate(file, NOW)
    assert made.der[0] == 0x30  # a DER sequence
    assert certificate.certificate(file, NOW) == made


def test_a_certificate_that_cannot_be_kept_still_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert certificate.certificate(tmp_path / "file" / "certificate.json", NOW).chain
