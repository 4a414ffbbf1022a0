"""Processes that a program has started."""

from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; its zombie, which its new parent has yet to reap, does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"
