"""The module that brings systemd units to run, over a systemd in memory."""

from typing import Any

import pytest

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "ConditionResult": "yes",
}
FRESH = {
    "LoadState": "loaded",
    "ActiveState": "inactive",
    "UnitFileState": "disabled",
    "ConditionResult": "no",
}
SKIPPED = FRESH | {"UnitFileState": "enabled", "ConditionTimestampMonotonic": "7"}


class Machine:
    """Answers as `systemctl` would, and remembers what it was told."""

    def __init__(self, units: dict[str, dict[str, str]], after_start: dict[str, str] | None = None) -> None:
        self.units = units
        self.after_start = after_start or {"ActiveState": "active", "ConditionResult": "yes"}
        self.told: list[str] = []
        self.refuses = ""

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        if "journalctl" in command:
            return 0, "it said why", ""
        verb, names = command[3], [part for part in command[4:] if "." in part]
        if verb == "show":
            blocks = ["\n".join(f"{k}={v}" for k, v in self.units[name].items()) for name in names]
            return 0, "\n\n".join(blocks) + "\n", ""
        self.told.append(" ".join([verb, *names]))
        if verb == self.refuses:
            return 1, "", "Job failed."
        if verb == "start":
            for name in names:
                self.units[name] = self.units[name] | self.after_start
        return 0, "", ""


def bring(units: Any, machine: Machine, *wanted: dict[str, Any], **options: bool) -> dict[str, Any]:
    standard = {"reload": False, "restart": False}
    options = {"daemon_reload": False, "dry": False} | options
    done: dict[str, Any] = units.bring(
        units.Systemd(machine), [standard | unit for unit in wanted], **options
    )
    return done


def test_what_runs_is_left_alone(units: Any) -> None:
    machine = Machine({"nginx.service": RUNNING, "a.timer": RUNNING})
    done = bring(units, machine, {"name": "nginx"}, {"name": "a.timer"})
    assert not any(done.values())
    assert machine.told == []


def test_fresh_units_are_enabled_and_started_together_and_not_reloaded(units: Any) -> None:
    machine = Machine({"nginx.service": FRESH, "a.timer": FRESH, "b.service": RUNNING})
    asked: list[dict[str, Any]] = [
        {"name": "nginx", "reload": True},
        {"name": "a.timer"},
        {"name": "b", "reload": True},
    ]
    done = bring(units, machine, *asked, daemon_reload=True)
    assert machine.told == ["enable nginx.service a.timer", "start nginx.service a.timer", "reload b.service"]
    assert done["started"] == ["nginx.service", "a.timer"]
    assert done["reloaded"] == ["b.service"]


def test_a_changed_unit_file_is_read_again_first(units: Any) -> None:
    machine = Machine({"a.timer": RUNNING})
    bring(units, machine, {"name": "a.timer", "restart": True, "reload": True}, daemon_reload=True)
    assert machine.told == ["daemon-reload", "restart a.timer"]


def test_a_unit_the_host_cannot_have_is_no_change(units: Any) -> None:
    machine = Machine({"chrony.service": SKIPPED})
    assert not any(bring(units, machine, {"name": "chrony", "reload": True}).values())
    first = Machine(
        {"chrony.service": FRESH | {"UnitFileState": "enabled"}},
        {"ConditionTimestampMonotonic": "7", "ConditionResult": "no"},
    )
    assert not any(bring(units, first, {"name": "chrony"}).values())
    assert first.told == ["start chrony.service"]


def test_a_dry_run_tells_and_does_nothing(units: Any) -> None:
    machine = Machine({"nginx.service": FRESH})
    assert bring(units, machine, {"name": "nginx"}, dry=True)["started"] == ["nginx.service"]
    assert machine.told == []


def test_failures_come_with_what_the_unit_said(units: Any) -> None:
    machine = Machine({"nginx.service": FRESH})
    machine.refuses = "start"
    with pytest.raises(units.RefusedError, match=r"start nginx.service: Job failed.; journal: it said why"):
        bring(units, machine, {"name": "nginx"})
    died = Machine({"nginx.service": FRESH}, {"ActiveState": "failed", "ConditionResult": "yes"})
    with pytest.raises(units.RefusedError, match="was started and is failed"):
        bring(units, died, {"name": "nginx"})
    with pytest.raises(units.RefusedError, match=r"there is no unit x\.service"):
        bring(units, Machine({"x.service": {"LoadState": "not-found"}}), {"name": "x"})
