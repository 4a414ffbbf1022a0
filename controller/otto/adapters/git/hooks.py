"""The hooks of the embedded repository: installed, and brought up to date at every start."""

import os
import shlex
import sys
import tempfile
from pathlib import Path

_SCRIPT = Path(__file__).with_name("hook.py")
_MARK = "# Written by OttO at every start."
_OPERATIONS = {"post-receive": "push", "pre-receive": "judge"}


def install_hooks(repository: Path, home: Path, *, reject_invalid: bool = False) -> None:
    """Write the hooks that tell the controller of a push.

    A hook of somebody else's is set aside under the name `HOOK.before-otto`.

    Args:
        repository: the bare repository.
        home: OTTO_HOME, where `control.sock` is.
        reject_invalid: whether pushes are judged, as one with a bad spec may be refused
            (`source.rejectInvalid`); only then is there a pre-receive hook, which costs each push a moment.
    """
    folder = repository / "hooks"
    folder.mkdir(exist_ok=True)
    script = folder / "otto-hook.py"
    _write(script, _SCRIPT.read_text(encoding="utf-8"), 0o644)
    wanted = {"post-receive", "pre-receive"} if reject_invalid else {"post-receive"}
    for name, operation in _OPERATIONS.items():
        path = folder / name
        _set_aside(path)
        if name in wanted:
            _write(path, _shell(operation, script.absolute(), home.absolute()), 0o755)
        else:
            path.unlink(missing_ok=True)


def judge_pushes(repository: Path, home: Path) -> None:
    """Have pushes judged from now on, as `install_hooks` does from the start."""
    if (repository / "hooks").is_dir():
        install_hooks(repository, home, reject_invalid=True)


def _set_aside(path: Path) -> None:
    if path.exists() and _MARK not in path.read_text(encoding="utf-8", errors="replace"):
        path.replace(path.with_name(f"{path.name}.before-otto"))


def _shell(operation: str, script: Path, home: Path) -> str:
    """A shell in between, because `#!` takes one argument, no spaces and not every length of path."""
    python, arguments = shlex.quote(sys.executable), shlex.join([str(script), operation, str(home)])
    return "\n".join(
        [
            "#!/bin/sh",
            _MARK,
            f"python={python}",
            '[ -x "$python" ] || python=$(command -v python3) || {',
            "  echo 'OttO: no Python to tell the controller with; the push itself is stored.'",
            "  exit 0",
            "}",
            f'exec "$python" -I -S {arguments}',
            "",
        ]
    )


def _write(path: Path, text: str, mode: int) -> None:
    """Replace a file in one step: a push may be running it."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        path.chmod(mode)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).chmod(mode)
    Path(name).replace(path)
