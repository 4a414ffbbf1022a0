"""Brings a release to a host: a small archive at once, a large one only when the host says it lacks it."""

import base64
import hashlib
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

FILE_MODE = 0o644
FOLDER_MODE = 0o755
_CHUNK = 1 << 20
# Up to this size an archive goes with the question: a second one costs a small host more than the bytes do.
_SMALL = 512 * 1024


def archive_digest(archive: Path) -> str:
    """Digest of the tree a tar unpacks to, as the module and `otto.fact` compute it on the host."""
    lines: dict[PurePosixPath, tuple[bytes, int, bytes]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            for folder in (*path.parents, *([path] if member.isdir() else [])):
                lines[folder] = (b"d", FOLDER_MODE, b"")
            source = tar.extractfile(member) if member.isreg() else None
            if source is not None:
                lines[path] = (b"f", FILE_MODE, _digest(source).encode())
    lines.pop(PurePosixPath(), None)
    summed = hashlib.sha256()
    for name, (kind, mode, value) in sorted((_bytes(path), line) for path, line in lines.items()):
        summed.update(b"%s\0%o\0%s\0%s\0" % (kind, mode, name, value))
    return summed.hexdigest()


def _digest(source: IO[bytes]) -> str:
    summed = hashlib.sha256()
    while data := source.read(_CHUNK):
        summed.update(data)
    return summed.hexdigest()


def _bytes(path: PurePosixPath) -> bytes:
    return str(path).encode("utf-8", "surrogateescape")


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible is not typed
    """Runs the module of the same name with a small archive; else once to look, and then with the archive."""

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Deploy one release to one host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        archive = Path(arguments.pop("archive", None) or "")
        try:
            arguments["digest"] = archive_digest(archive)
            arguments["repair"] = boolean(arguments.get("repair", False))
        except (OSError, tarfile.TarError, EOFError) as error:
            raise AnsibleActionFail(f"the content archive {archive} cannot be read: {error}") from error
        if archive.stat().st_size <= _SMALL:
            packed = base64.b64encode(zlib.compress(archive.read_bytes(), 1)).decode()
            return result | self._module(arguments | {"packed": packed}, task_vars)
        looked = self._module(arguments | {"look": True}, task_vars)
        if looked.get("failed") or not looked.get("changed") or self._task.check_mode:
            return result | looked
        if looked["present"] and not arguments["repair"]:
            return result | self._module(arguments, task_vars)
        return result | self._bring(archive, arguments, task_vars)

    def _bring(
        self, archive: Path, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Copy the archive to the host and run the module with it."""
        self._make_tmp_path()
        shell = self._connection._shell  # noqa: SLF001  (how action plugins reach it)
        try:
            there = self._transfer_file(str(archive), shell.join_path(shell.tmpdir, "content.tar"))
            return self._module(arguments | {"archive": there}, task_vars)
        finally:
            self._remove_tmp_path(shell.tmpdir)

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        ended: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        return ended
