"""Writes a set of files in one go: each judged first, each by a rename, none if one is refused."""

import grp
import os
import pwd
import shlex
import stat
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: otto_files
short_description: Write several files at once, validated and atomically
description:
  - One connection for what a role writes, instead of two for each of its files.
  - A file that its own command refuses, and every other file of the same task, stays as it was.
options:
  folders: {description: Folders to make, root's and mode 0755., type: list, elements: path, default: []}
  files:
    description: What to write, in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Where., type: path, required: true}
      content: {description: The bytes, as UTF-8., type: str, required: true}
      mode: {description: Permissions in octal., type: str, default: "0644"}
      group: {description: The group; the owner is root., type: str, default: root}
      validate: {description: Command that fails for a bad file, named by %s., type: str}
author: [OttO]
"""

RETURN = r"""
written: {description: Paths of files and folders that changed., type: list, elements: str, returned: always}
"""

SECONDS = 20


class RefusedError(Exception):
    """A file cannot be written as asked; the message is for people."""


class Wanted:
    """One file as it should be."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.path = Path(given["path"])
        self.data = given["content"].encode("utf-8", "surrogateescape")
        self.mode = int(given["mode"], 8)
        self.owner = pwd.getpwnam("root").pw_uid
        try:
            self.group = grp.getgrnam(given["group"]).gr_gid
        except KeyError:
            raise RefusedError(f"{self.path}: there is no group {given['group']!r}") from None
        self.validate = given["validate"]

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
        status = self.path.lstat()
        return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (
            self.owner,
            self.group,
            self.mode,
        )

    def stage(self) -> Path:
        """Write the bytes beside the place they are for; the path."""
        # Nothing on Debian reads a file that ends so, whatever folder it is in.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".otto-", suffix=".dpkg-new")
        with os.fdopen(handle, "wb") as file:
            file.write(self.data)
            file.flush()
            os.fchown(file.fileno(), self.owner, self.group)
            os.fchmod(file.fileno(), self.mode)
            os.fsync(file.fileno())
        return Path(name)


def judge(module: AnsibleModule, wanted: Wanted, staged: Path) -> None:
    """Raise if the file's own command refuses it."""
    if not wanted.validate:
        return
    command = [
        "timeout",
        str(SECONDS),
        *(part.replace("%s", str(staged)) for part in shlex.split(wanted.validate)),
    ]
    status, out, error = module.run_command(command)
    if status:
        said = (error.strip() or out.strip() or f"exit status {status}").replace(
            str(staged), str(wanted.path)
        )
        raise RefusedError(
            f"{wanted.path} was left as it was: {command[2]} refuses the new one: {said[:4000]}"
        )


def write(module: AnsibleModule, files: list[Wanted]) -> None:
    """Write files: all are staged and judged before the first takes its place."""
    staged: list[Path] = []
    try:
        for wanted in files:
            staged.append(wanted.stage())
            judge(module, wanted, staged[-1])
        for wanted, path in zip(files, staged, strict=True):
            path.replace(wanted.path)
    finally:
        for path in staged:
            path.unlink(missing_ok=True)


def make(folders: list[Path], *, dry: bool) -> list[Path]:
    """Make the folders that are missing; their paths."""
    missing = [folder for folder in folders if not folder.is_dir()]
    for folder in missing if not dry else []:
        folder.mkdir(0o755, parents=True, exist_ok=True)
    return missing


def difference(wanted: Wanted) -> dict[str, str]:
    """Before and after, as Ansible shows them with --diff."""
    before = (wanted.before() or b"").decode("utf-8", "replace")
    after = wanted.data.decode("utf-8", "replace")
    path = str(wanted.path)
    return {"before": before, "after": after, "before_header": path, "after_header": path}


FILE = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "group": {"type": "str", "default": "root"},
    "validate": {"type": "str"},
}


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "path", "default": []},
            "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
        },
        supports_check_mode=True,
    )
    os.umask(0o022)
    try:
        made = make([Path(folder) for folder in module.params["folders"]], dry=module.check_mode)
        changed = [wanted for wanted in map(Wanted, module.params["files"]) if not wanted.right()]
        diff = [difference(wanted) for wanted in changed]
        if not module.check_mode:
            write(module, changed)
    except (RefusedError, OSError) as error:
        module.fail_json(msg=str(error))
    written = [str(path) for path in [*made, *(wanted.path for wanted in changed)]]
    module.exit_json(changed=bool(written), written=written, diff=diff)


if __name__ == "__main__":
    main()
