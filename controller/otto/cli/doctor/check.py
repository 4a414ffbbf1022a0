"""What one look at the machine found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One thing OttO needs of the machine.

    Attributes:
        name: what was looked at.
        state: how it came out; a warning never keeps OttO from working.
        found: what is there.
        needed: what should be.
        mend: what to do about it; empty when nothing has to be done.
    """

    name: str
    state: State
    found: str
    needed: str
    mend: str = ""

    def to_dict(self) -> dict[str, str]:
        """For `--json`."""
        return {
            "name": self.name,
            "state": self.state.value,
            "found": self.found,
            "needed": self.needed,
            "mend": self.mend,
        }


def good(name: str, found: str, needed: str) -> Check:
    """All is well."""
    return Check(name, State.OK, found, needed)


def judge(name: str, *, ok: bool, found: str, needed: str, mend: str, or_else: State = State.FAIL) -> Check:
    """Well, or else the state given, with its mend."""
    return good(name, found, needed) if ok else Check(name, or_else, found, needed, mend)
