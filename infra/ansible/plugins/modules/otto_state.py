#!/usr/bin/python3
"""Brings packages, users, files and units of a host to where a role wants them, in one go."""

# Of the kind Ansible calls JSONARGS: it is sent as it is, with its arguments put into this file. What
# Ansible packs around its usual Python modules takes a small host half a second to unpack, this 0.1 s.

from __future__ import annotations

import grp
import json
import os
import pwd
import shlex
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TYPE_CHECKING = False  # importing it would cost time
if TYPE_CHECKING:
    from typing import Any

DOCUMENTATION = r"""
module: otto_state
short_description: Packages, users, files and units at once, each only as far as it differs
description:
  - One connection and one program for what a role does, where every task more costs a small host a moment.
  - Missing packages are installed; the network is asked for nothing otherwise.
  - Files are written whole, by a rename. A file that its own command refuses, and every other file of the
    same task, stays as it was.
  - A unit is reloaded or restarted when one of the files it lives by is newer than its last change of
    state, so a run that was cut off before it got there is made up for.
  - A unit that systemd skips because the host lacks what it needs (a clock to set, in a container) is left
    alone, and is no change. One that had to be started is not reloaded on top of that.
options:
  packages: {description: Packages that have to be installed., type: list, elements: str, default: []}
  users:
    description: Users without a password.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The user, made with a home when missing., type: str, required: true}
      shell: {description: Login shell., type: str, required: true}
  folders: {description: Folders to make, root's and mode 0755., type: list, elements: path, default: []}
  files:
    description: What to write, in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      content: {description: The bytes, as UTF-8., type: str, required: true}
      mode: {description: Permissions in octal., type: str, default: "0644"}
      group: {description: The group; the owner is root., type: str, default: root}
      validate: {description: Command that fails for a bad file, named by %s., type: str}
      only_if: {description: Command that fails on hosts which are not to have it., type: str}
  units:
    description: What has to be enabled and running, in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The unit., type: str, required: true}
      reload_on: {description: Files it reads when reloaded., type: list, elements: path, default: []}
      restart_on: {description: Files it reads only when restarted., type: list, elements: path, default: []}
      only_if: {description: Command that fails on hosts which are not to have it., type: str}
author: [OttO]
"""

RETURN = r"""
installed: {description: Packages that were missing., type: list, elements: str, returned: always}
written: {description: Paths of files and folders that changed., type: list, elements: str, returned: always}
users: {description: Users that changed., type: list, elements: str, returned: always}
enabled: {description: Units that were not enabled., type: list, elements: str, returned: always}
started: {description: Units that did not run., type: list, elements: str, returned: always}
reloaded: {description: Units that were reloaded., type: list, elements: str, returned: always}
restarted: {description: Units that were restarted., type: list, elements: str, returned: always}
"""

ARGUMENTS = r"""<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"""
SECONDS = 60
SLOW = {"apt-get": 200}
# Without SYSTEMCTL_SKIP_SYSV, enabling a unit has Perl look through init scripts nobody uses for 0.8 s.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SYSTEMCTL_SKIP_SYSV": "1",
    "DEBIAN_FRONTEND": "noninteractive",
}
SHADOW = Path("/etc/shadow")
# Not "!": sshd refuses keys for locked accounts.
DISABLED = "*"
SHOWN = (
    "Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ConditionResult,ConditionTimestampMonotonic,"
    "StateChangeTimestamp"
)
ENABLED = {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}
RUNS = ("active", "reloading")
SUFFIXES = (".service", ".timer", ".socket")


Run = Callable[[Sequence[str]], tuple[int, str, str]]


class RefusedError(Exception):
    """The host cannot be brought there; the message is for people."""


def run(command: Sequence[str]) -> tuple[int, str, str]:
    """Run a command; (exit status, output, errors)."""
    seconds = SLOW.get(command[0], SECONDS)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=ENVIRONMENT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "", f"{command[0]} did not end within {seconds} s"
    except OSError as error:
        return 127, "", str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def told(status: int, out: str, error: str) -> str:
    """What a command that failed said."""
    return (error.strip() or out.strip() or f"exit status {status}")[:4000]


def missing(packages: list[str], runs: Run) -> list[str]:
    """Those of the packages that are not installed. Asking dpkg takes no network and little time."""
    if not packages:
        return []
    form = "${db:Status-Status} ${Package}\n"
    _, out, _ = runs(["dpkg-query", "--show", f"--showformat={form}", *packages])
    installed = {line.partition(" ")[2] for line in out.splitlines() if line.startswith("installed ")}
    return [name for name in packages if name not in installed]


def install(packages: list[str], runs: Run) -> None:
    """Install packages, with what apt knows already or else with what it can learn."""
    command = ["apt-get", "--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    status, out, error = runs([*command, "install", *packages])
    if status:
        runs([*command, "update"])
        status, out, error = runs([*command, "install", *packages])
    if status:
        raise RefusedError(f"apt-get install {' '.join(packages)}: {told(status, out, error)}")


class Conditions:
    """Commands that say whether something is for this host; each is asked once."""

    def __init__(self, runs: Run) -> None:
        self._run = runs
        self._known: dict[str, bool] = {}

    def hold(self, given: dict[str, Any]) -> bool:
        """Whether a file or unit is for this host."""
        command = given.get("only_if")
        if not command:
            return True
        if command not in self._known:
            self._known[command] = self._run(shlex.split(command))[0] == 0
        return self._known[command]


def user_right(user: dict[str, Any]) -> bool:
    """Whether a user is there, has the shell and can't log in with a password."""
    try:
        entry = pwd.getpwnam(user["name"])
    except KeyError:
        return False
    lines = (line.split(":") for line in SHADOW.read_text("utf-8", "replace").splitlines())
    password = next((fields[1] for fields in lines if fields[0] == user["name"]), "")
    return entry.pw_shell == user["shell"] and password == DISABLED


def mend_user(user: dict[str, Any], runs: Run) -> None:
    """Make a user, or change it to what it should be."""
    try:
        pwd.getpwnam(user["name"])
        command = ["usermod"]
    except KeyError:
        command = ["useradd", "--create-home", "--user-group"]
    status, out, error = runs([*command, "--password", DISABLED, "--shell", user["shell"], user["name"]])
    if status:
        raise RefusedError(f"user {user['name']}: {told(status, out, error)}")


class Wanted:
    """One file as it should be."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.path = Path(given["path"])
        self.data = given["content"].encode("utf-8", "surrogateescape")
        self.mode = int(given.get("mode") or "0644", 8)
        group = given.get("group") or "root"
        try:
            self.group = grp.getgrnam(group).gr_gid
        except KeyError:
            raise RefusedError(f"{self.path}: there is no group {group!r}") from None
        self.validate = given.get("validate")

    def before(self) -> bytes | None:
        """The bytes that are there now, None when there is no regular file."""
        try:
            return self.path.read_bytes() if self.path.is_file() and not self.path.is_symlink() else None
        except OSError:
            return None

    def right(self) -> bool:
        """Whether the file is there already, with these bytes, owners and permissions."""
        if self.before() != self.data:
            return False
        found = self.path.lstat()
        return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, self.group, self.mode)

    def stage(self) -> Path:
        """Write the bytes beside the place they are for; the path."""
        # Nothing on Debian reads a file that ends so, whatever folder it is in.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".otto-", suffix=".dpkg-new")
        with os.fdopen(handle, "wb") as file:
            file.write(self.data)
            file.flush()
            os.fchown(file.fileno(), 0, self.group)
            os.fchmod(file.fileno(), self.mode)
            os.fsync(file.fileno())
        return Path(name)

    def difference(self) -> dict[str, str]:
        """Before and after, as Ansible shows them with --diff."""
        before = (self.before() or b"").decode("utf-8", "replace")
        after, path = self.data.decode("utf-8", "replace"), str(self.path)
        return {"before": before, "after": after, "before_header": path, "after_header": path}


def absent(folders: list[str]) -> list[str]:
    """Those of the folders that are not there."""
    return [folder for folder in folders if not Path(folder).is_dir()]


def judge(wanted: Wanted, staged: Path, runs: Run) -> None:
    """Raise if the file's own command refuses it."""
    if not wanted.validate:
        return
    command = [part.replace("%s", str(staged)) for part in shlex.split(wanted.validate)]
    status, out, error = runs(command)
    if status:
        said = told(status, out, error).replace(str(staged), str(wanted.path))
        raise RefusedError(f"{wanted.path} was left as it was: {command[0]} refuses the new one: {said}")


def write(files: list[Wanted], runs: Run) -> None:
    """Write files: all are staged and judged before the first takes its place."""
    staged: list[Path] = []
    try:
        for wanted in files:
            staged.append(wanted.stage())
            judge(wanted, staged[-1], runs)
        for wanted, path in zip(files, staged, strict=True):
            path.replace(wanted.path)
    finally:
        for path in staged:
            path.unlink(missing_ok=True)


def full(name: str) -> str:
    """A unit's full name: a bare one means a service."""
    return name if name.endswith(SUFFIXES) else f"{name}.service"


def stamp(path: str) -> str:
    """When a file last changed in any way, as systemd writes times; "" when it is missing."""
    try:
        changed = Path(path).stat().st_ctime_ns
    except OSError:
        return ""
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(changed // 1_000_000_000))
    return f"{whole}.{changed % 1_000_000_000 // 1000:06d} UTC"


class Systemd:
    """systemctl, with its failures told."""

    def __init__(self, runs: Run) -> None:
        self._run = runs

    def call(self, *command: str) -> None:
        """Do something with units, the last of the words.

        Raises:
            RefusedError: it failed; with the last that the units said.
        """
        status, out, error = self._run(["systemctl", *command])
        if status:
            names = [word for word in command[1:] if not word.startswith("-")]
            said = told(status, out, error) + self._journal(names)
            raise RefusedError(f"systemctl {' '.join(command)}: {said}")

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        """Properties of units, by full name."""
        status, out, error = self._run(["systemctl", "show", "--timestamp=us+utc", "-p", SHOWN, *names])
        if status:
            raise RefusedError(f"systemctl show: {told(status, out, error)}")
        blocks = out.split("\n\n")
        found = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return dict(zip(names, found, strict=True))

    def _journal(self, names: list[str]) -> str:
        """What the units said last."""
        units = [f"--unit={name}" for name in names]
        _, out, _ = self._run(["journalctl", "--no-pager", "-o", "cat", "-n", "8", *units])
        return f"; journal: {out.strip()[:1500]}" if units and out.strip() else ""


def skipped(properties: dict[str, str]) -> bool:
    """Whether systemd looked at the unit and found that this host cannot have it."""
    tried = properties.get("ConditionTimestampMonotonic", "0") != "0"
    return tried and properties.get("ConditionResult") == "no"


def outdated(properties: dict[str, str], files: Sequence[str], written: Sequence[str]) -> bool:
    """Whether a unit is older than one of its files.

    Times of files lag by some milliseconds, so those just written count whatever their time.
    """
    since = properties.get("StateChangeTimestamp", "").partition(" ")[2]
    return any(path in written or bool(since and stamp(path) > since) for path in files)


def bring(
    systemd: Systemd, wanted: list[dict[str, Any]], written: Sequence[str], *, dry: bool
) -> dict[str, list[str]]:
    """Bring units to where they should be; what was done."""
    units = {full(unit["name"]): unit for unit in wanted}
    before = systemd.show(list(units)) if units else {}
    unknown = [name for name, properties in before.items() if properties.get("LoadState") == "not-found"]
    if unknown and not dry:
        raise RefusedError(f"there is no unit {', '.join(unknown)}")
    enabled = [name for name, properties in before.items() if properties.get("UnitFileState") not in ENABLED]
    able = [name for name, properties in before.items() if not skipped(properties)]
    started = [name for name in able if before[name].get("ActiveState") not in RUNS]
    running = [name for name in able if name not in started]
    done = {"enabled": enabled, "started": started}
    for verb, files in (("restarted", "restart_on"), ("reloaded", "reload_on")):
        old = [name for name in running if outdated(before[name], units[name].get(files) or (), written)]
        done[verb] = [name for name in old if name not in done.get("restarted", ())]
    if not dry:
        carry_out(systemd, done, again=any(item.get("NeedDaemonReload") == "yes" for item in before.values()))
        done["started"] = [name for name in started if not in_vain(systemd, name)]
    return done


def carry_out(systemd: Systemd, done: dict[str, list[str]], *, again: bool) -> None:
    """Tell systemd what to do; `again`: it holds an older form of one of the units."""
    if done["enabled"]:
        systemd.call("enable", "--no-reload", *done["enabled"])
    if again:
        systemd.call("daemon-reload")
    for verb, key in (("start", "started"), ("restart", "restarted"), ("reload", "reloaded")):
        if done[key]:
            systemd.call(verb, *done[key])


def in_vain(systemd: Systemd, name: str) -> bool:
    """Whether a start came to nothing because of what the host lacks.

    Raises:
        RefusedError: it came to nothing for another reason.
    """
    properties = systemd.show([name])[name]
    if skipped(properties):
        return True
    if properties.get("ActiveState") not in (*RUNS, "activating"):
        raise RefusedError(f"{name} was started and is {properties.get('ActiveState')}")
    return False


def reach(given: dict[str, Any], runs: Run = run) -> dict[str, Any]:
    """Bring the host to where the arguments want it; what to tell Ansible."""
    dry = bool(given.get("_ansible_check_mode"))
    packages = missing(given.get("packages") or [], runs)
    if packages and not dry:
        install(packages, runs)
    users = [user for user in given.get("users") or [] if not user_right(user)]
    for user in users if not dry else []:
        mend_user(user, runs)
    conditions = Conditions(runs)
    files = [Wanted(item) for item in given.get("files") or [] if conditions.hold(item)]
    folders, files = absent(given.get("folders") or []), [wanted for wanted in files if not wanted.right()]
    diff = [wanted.difference() for wanted in files] if given.get("_ansible_diff") else []
    if not dry:
        for folder in folders:
            Path(folder).mkdir(0o755, parents=True, exist_ok=True)
        write(files, runs)
    written = [*folders, *(str(wanted.path) for wanted in files)]
    units = [unit for unit in given.get("units") or [] if conditions.hold(unit)]
    done = bring(Systemd(runs), units, written, dry=dry)
    done |= {"installed": packages, "users": [user["name"] for user in users], "written": written}
    return {"changed": any(done.values()), "diff": diff, **done}


def main() -> None:
    """Run as an Ansible module."""
    os.umask(0o022)
    try:
        answer = reach(json.loads(ARGUMENTS))
    except (RefusedError, OSError) as error:
        answer = {"failed": True, "msg": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.exit(bool(answer.get("failed")))


if __name__ == "__main__":
    main()
