"""The module that brings packages, users, files and units to where a role wants them."""

import pwd
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "NeedDaemonReload": "no",
    "ConditionResult": "yes",
    "StateChangeTimestamp": "Sun 2090-02-26 12:00:00.000001 UTC",
}
FRESH = RUNNING | {
    "ActiveState": "inactive",
    "UnitFileState": "disabled",
    "ConditionResult": "no",
    "StateChangeTimestamp": "",
}
SKIPPED = FRESH | {"UnitFileState": "enabled", "ConditionTimestampMonotonic": "7"}
OLD = {"StateChangeTimestamp": "Sun 2000-02-29 12:00:00.000001 UTC"}

Answer = tuple[int, str, str]


class Machine:
    """Answers as `systemctl`, `dpkg-query` and the like would, and remembers what it was told."""

    def __init__(
        self, units: dict[str, dict[str, str]] | None = None, after_start: dict[str, str] | None = None
    ) -> None:
        self.units = units or {}
        self.after_start = after_start or {"ActiveState": "active", "ConditionResult": "yes"}
        self.told: list[str] = []
        self.refuses: tuple[str, ...] = ()
        self.installed = ""

    def __call__(self, command: Sequence[str]) -> Answer:
        name, *words = command
        known: dict[str, Callable[[list[str]], Answer]] = {
            "systemctl": self._systemctl,
            "journalctl": lambda _: (0, "it said why", ""),
            "dpkg-query": lambda _: (1, self.installed, "no packages found matching x"),
        }
        if name in known:
            return known[name](words)
        self.told.append(" ".join(command))
        return (1, "", "it cannot") if name in self.refuses else (0, "", "")

    def _systemctl(self, words: list[str]) -> Answer:
        verb, names = words[0], [word for word in words[1:] if word in self.units or word.startswith("x.")]
        if verb == "show":
            unknown = {"LoadState": "not-found"}
            blocks = [
                "\n".join(f"{k}={v}" for k, v in self.units.get(name, unknown).items()) for name in names
            ]
            return 0, "\n\n".join(blocks) + "\n", ""
        self.told.append(" ".join(words))
        if verb in self.refuses:
            return 1, "", "Job failed."
        if verb == "start":
            for name in names:
                self.units[name] = self.units[name] | self.after_start
        return 0, "", ""


def bring(
    state: Any, machine: Machine, *wanted: dict[str, Any], written: Sequence[str] = (), dry: bool = False
) -> dict[str, Any]:
    done: dict[str, Any] = state.bring(state.Systemd(machine), list(wanted), written, dry=dry)
    return done


def test_what_runs_is_left_alone(state: Any) -> None:
    machine = Machine({"nginx.service": RUNNING, "a.timer": RUNNING})
    done = bring(state, machine, {"name": "nginx", "reload_on": [__file__]}, {"name": "a.timer"})
    assert not any(done.values())
    assert machine.told == []


def test_fresh_units_are_enabled_and_started_together_and_not_reloaded(state: Any) -> None:
    machine = Machine({"nginx.service": FRESH, "a.timer": FRESH, "b.service": RUNNING})
    done = bring(
        state, machine, {"name": "nginx", "reload_on": ["/f"]}, {"name": "a.timer"},
        {"name": "b", "reload_on": ["/f"]}, written=["/f"],
    )  # fmt: skip
    assert machine.told == [
        "enable --no-reload nginx.service a.timer",
        "start nginx.service a.timer",
        "reload b.service",
    ]
    assert done["started"] == ["nginx.service", "a.timer"]
    assert done["reloaded"] == ["b.service"]


def test_a_changed_unit_file_is_read_again_first(state: Any) -> None:
    machine = Machine({"a.timer": RUNNING | {"NeedDaemonReload": "yes"}})
    unit = {"name": "a.timer", "restart_on": ["/f"], "reload_on": ["/f"]}
    bring(state, machine, unit, written=["/f"])
    assert machine.told == ["daemon-reload", "restart a.timer"]


def test_a_unit_older_than_its_file_is_reloaded_whoever_wrote_that(state: Any) -> None:
    """So a run that was cut off between a file and its reload is made up for."""
    machine = Machine({"old.service": RUNNING | OLD, "new.service": RUNNING, "none.service": RUNNING | OLD})
    done = bring(
        state, machine, {"name": "old", "reload_on": [__file__]}, {"name": "new", "reload_on": [__file__]},
        {"name": "none", "reload_on": ["/nonexistent"]},
    )  # fmt: skip
    assert done["reloaded"] == ["old.service"]


def test_times_of_files_compare_with_those_of_systemd(state: Any, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    changed = (tmp_path / "f").stat().st_ctime_ns // 1000
    microseconds = f".{changed % 1_000_000:06d} UTC"
    assert state.stamp(str(tmp_path / "f")).endswith(microseconds)
    assert len(state.stamp(str(tmp_path / "f"))) == len("2090-02-26 12:00:00.000001 UTC")
    assert state.stamp("/nonexistent") == ""


def test_a_unit_the_host_cannot_have_is_no_change(state: Any) -> None:
    machine = Machine({"chrony.service": SKIPPED})
    assert not any(bring(state, machine, {"name": "chrony", "reload_on": ["/f"]}, written=["/f"]).values())
    first = Machine(
        {"chrony.service": FRESH | {"UnitFileState": "enabled"}},
        {"ConditionTimestampMonotonic": "7", "ConditionResult": "no"},
    )
    assert not any(bring(state, first, {"name": "chrony"}).values())
    assert first.told == ["start chrony.service"]


def test_a_dry_run_tells_and_does_nothing(state: Any) -> None:
    machine = Machine({"nginx.service": FRESH})
    assert bring(state, machine, {"name": "nginx"}, dry=True)["started"] == ["nginx.service"]
    asked = {"packages": ["x"], "_ansible_check_mode": True, "folders": ["/nonexistent"]}
    answer = state.reach(asked, machine)
    assert (answer["changed"], answer["installed"], answer["written"]) == (True, ["x"], ["/nonexistent"])
    assert machine.told == []


def test_failures_come_with_what_the_unit_said(state: Any) -> None:
    machine = Machine({"nginx.service": FRESH})
    machine.refuses = ("start",)
    with pytest.raises(state.RefusedError, match=r"start nginx.service: Job failed.; journal: it said why"):
        bring(state, machine, {"name": "nginx"})
    died = Machine({"nginx.service": FRESH}, {"ActiveState": "failed", "ConditionResult": "yes"})
    with pytest.raises(state.RefusedError, match="was started and is failed"):
        bring(state, died, {"name": "nginx"})
    with pytest.raises(state.RefusedError, match=r"there is no unit x\.service"):
        bring(state, Machine(), {"name": "x"})


def test_only_missing_packages_are_installed(state: Any) -> None:
    machine = Machine()
    machine.installed = "installed a\nconfig-files b\n"
    answer = state.reach({"packages": ["a", "b", "c"]}, machine)
    assert (answer["changed"], answer["installed"]) == (True, ["b", "c"])
    assert [told.rpartition("Timeout=120 ")[2] for told in machine.told] == ["install b c"]
    machine.refuses = ("apt-get",)
    with pytest.raises(state.RefusedError, match="apt-get install b: it cannot"):
        state.reach({"packages": ["b"]}, machine)
    assert [told.rpartition("Timeout=120 ")[2] for told in machine.told[1:]] == [
        "install b",
        "update",
        "install b",
    ]


@pytest.mark.parametrize(
    ("shadow", "shell", "right"),
    [
        ("root:*:19000:0:::::", "", True),
        ("root:!:1", "", False),
        ("root:*:1", "/bin/other", False),
        ("", "", False),
    ],
)
def test_a_user_has_a_shell_and_no_password(
    state: Any, tmp_path: Path, *, shadow: str, shell: str, right: bool
) -> None:
    state.SHADOW = tmp_path / "shadow"
    state.SHADOW.write_text(f"daemon:*:1\n{shadow}\n")
    user, machine = {"name": "root", "shell": shell or pwd.getpwnam("root").pw_shell}, Machine()
    assert state.reach({"users": [user]}, machine)["changed"] is not right
    assert len(machine.told) == (not right)
    assert all(told.startswith("usermod --password * --shell") for told in machine.told)


def test_a_user_who_is_missing_is_made(state: Any) -> None:
    machine = Machine()
    state.reach({"users": [{"name": "otto-none", "shell": "/bin/bash"}]}, machine)
    assert machine.told == [
        "useradd --create-home --user-group --password * --shell /bin/bash otto-none",
    ]


def really(command: Sequence[str]) -> Answer:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


def wanted(state: Any, path: Path, content: str, **changes: Any) -> Any:
    return state.Wanted({"path": str(path), "content": content, "mode": "0640"} | changes)


def test_files_are_written_whole_with_their_permissions(state: Any, tmp_path: Path) -> None:
    made = wanted(state, tmp_path / "a", "text é\n")
    assert not made.right()
    state.write([made], really)
    assert (made.right(), (tmp_path / "a").stat().st_mode & 0o777) == (True, 0o640)
    (tmp_path / "a").chmod(0o600)
    assert not made.right()
    assert made.difference()["before"] == "text é\n"


def test_one_refused_file_leaves_all_as_they_were(state: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    first = wanted(state, tmp_path / "a", "new", validate="grep -q new %s")
    second = wanted(state, tmp_path / "b", "new", validate="sh -c 'echo no such word in %s >&2; exit 3'")
    with pytest.raises(state.RefusedError, match=f"{tmp_path}/b was left as it was: sh refuses") as caught:
        state.write([first, second], really)
    assert f"no such word in {tmp_path}/b" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(state: Any, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("keep")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    state.write([wanted(state, tmp_path / "a", "new")], really)
    assert (tmp_path / "victim").read_text() == "keep"
    assert (tmp_path / "a").read_text() == "new"


def test_an_unknown_group_is_told(state: Any, tmp_path: Path) -> None:
    with pytest.raises(state.RefusedError, match="no group 'nobodies'"):
        wanted(state, tmp_path / "a", "x", group="nobodies")


def test_what_a_host_is_not_to_have_it_does_not_get(state: Any, tmp_path: Path) -> None:
    machine = Machine({"wall.service": FRESH})
    machine.refuses = ("may",)
    given = {
        "folders": [str(tmp_path / "d")],
        "files": [
            {"path": str(tmp_path / "d" / "wall"), "content": "x", "only_if": "may wall"},
            {"path": str(tmp_path / "d" / "other"), "content": "x", "only_if": "true"},
        ],
        "units": [{"name": "wall", "only_if": "may wall"}],
    }
    answer = state.reach(given, machine)
    assert answer["written"] == [str(tmp_path / "d"), str(tmp_path / "d" / "other")]
    assert machine.told == ["may wall", "true"], "each is asked once"
    assert not state.reach(given, machine)["changed"]


def test_a_command_that_hangs_or_is_missing_is_a_failure(state: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "SECONDS", 0.1)
    assert state.run(["sleep", "20"]) == (124, "", "sleep did not end within 0.1 s")
    assert state.run(["/nonexistent"])[0] == 127
