"""A stand-in for Packer: a script that says what a test has it say, and notes how it was called."""

import json
from pathlib import Path
from typing import Any

from otto.adapters.packer.running import Job

_ARTIFACT = "1,docker.lab,artifact,0,id,sha256:1"


class StandIn:
    """A program that takes Packer's place.

    Attributes:
        path: where it is.
    """

    def __init__(self, folder: Path, version: str = "1.11.2", then: str = "") -> None:
        self.path = folder / "packer"
        self._calls = folder / "calls"
        self.path.write_text(
            f"""#!/bin/bash
python3 - "$@" >>{self._calls} <<'END'
import json, os, sys
template = sys.argv[-1]
files = sorted(os.listdir(template)) if os.path.isdir(template) else []
told = {{"argv": sys.argv[1:], "files": files, "environ": dict(os.environ)}}
print(json.dumps(told))
END
case $1 in
version) echo 'Packer v{version}' ;;
build) {then or ":"}
    echo '{_ARTIFACT}' ;;
esac
"""
        )
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How it was called: its arguments, the files of the template, its environment."""
        text = self._calls.read_text() if self._calls.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def job(self, folder: Path, seconds: float = 20.0) -> Job:
        """A job for it, over an empty template."""
        (folder / "template").mkdir(parents=True, exist_ok=True)
        return Job(str(self.path), folder, "docker.lab", {"PATH": "/usr/bin:/bin"}, seconds)


def marked(file: str, mark: str) -> dict[int, str]:
    """Processes with this among their arguments (`cmdline`) or variables (`environ`): id -> program."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (path / file).read_bytes().split(b"\0"):
                found[int(path.name)] = (path / "comm").read_text().strip()
        except OSError:  # it ended meanwhile
            continue
    return found
