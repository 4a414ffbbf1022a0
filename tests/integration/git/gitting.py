"""Real git, in working copies of its own, unmoved by whatever the machine's user has configured."""

import os
import subprocess
from pathlib import Path

_PERSON = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"))
}


def git(where: Path, *arguments: str, check: bool = True, **environment: str) -> str:
    """Run git; what it wrote on both outputs."""
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=where,
        env=env | _PERSON | {"GIT_TERMINAL_PROMPT": "0", "HOME": str(where)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


class Work:
    """A working copy."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        git(path, "init", "-q", "-b", "main")

    def write(self, files: dict[str, str | bytes | None]) -> None:
        """Write files, None deletes."""
        for name, text in files.items():
            path = self.path / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, files: dict[str, str | bytes | None], *arguments: str) -> str:
        """Write files and commit all there is; the commit id."""
        self.write(files)
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", "change", *arguments)
        return git(self.path, "rev-parse", "HEAD").strip()

    def push(self, to: Path | str, *arguments: str, check: bool = True) -> str:
        """Push main; what the pusher reads."""
        return git(self.path, "push", str(to), *(arguments or ("main",)), check=check)


def told(output: str) -> list[str]:
    """Lines the other side sent during a push."""
    lines = (
        line.removeprefix("remote: ").rstrip() for line in output.splitlines() if line.startswith("remote:")
    )
    return [line for line in lines if line != "remote:"]
