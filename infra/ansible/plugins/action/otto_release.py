"""Asks the host whether a release is there, and brings the archive along only when it is not."""

import hashlib
import tarfile
from pathlib import Path, PurePosixPath

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase


def archive_digest(archive):
    """Digest of the tree a tar unpacks to, as the module and `otto.fact` compute it on the host."""
    lines, folders = {}, set()
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not path.parts:
                continue
            folders.update(path.parents)
            if member.isdir():
                folders.add(path)
            elif member.isreg():
                lines[path] = hashlib.file_digest(tar.extractfile(member), "sha256").hexdigest()
    described = [(str(path).encode("utf-8", "surrogateescape"), b"f", 0o644, value.encode()) for path, value in lines.items()]
    described += [
        (str(path).encode("utf-8", "surrogateescape"), b"d", 0o755, b"") for path in folders if path.parts
    ]
    summed = hashlib.sha256()
    for path, kind, mode, value in sorted(described):
        summed.update(b"%s\0%o\0%s\0%s\0" % (kind, mode, path, value))
    return summed.hexdigest()


class ActionModule(ActionBase):
    """Runs the module of the same name once to look, and once more with the archive if need be."""

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = True

    def run(self, tmp=None, task_vars=None):
        """Deploy one release to one host."""
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        archive = Path(arguments.pop("archive", None) or "")
        try:
            arguments["digest"] = archive_digest(archive)
        except (OSError, tarfile.TarError, EOFError) as error:
            raise AnsibleActionFail(f"the content archive {archive} cannot be read: {error}") from error
        looked = self._execute_module(module_args=arguments | {"look": True}, task_vars=task_vars)
        if looked.get("failed") or not looked.get("changed") or self._task.check_mode:
            return result | looked
        if looked["present"] and not boolean(arguments.get("repair", False)):
            return result | self._execute_module(module_args=arguments, task_vars=task_vars)
        return result | self._bring(archive, arguments, task_vars)

    def _bring(self, archive, arguments, task_vars):
        """Copy the archive to the host and run the module with it."""
        self._make_tmp_path()
        shell = self._connection._shell
        try:
            there = self._transfer_file(str(archive), shell.join_path(shell.tmpdir, "content.tar"))
            return self._execute_module(module_args=arguments | {"archive": there}, task_vars=task_vars)
        finally:
            self._remove_tmp_path(shell.tmpdir)
