r"""What `packer -machine-readable` says, read line by line.

Each line is `time,target,type,data…`; commas in data are written `%!(PACKER_COMMA)`, line ends `\n`
(packer.io, "Machine-Readable Output").
"""

import json
import re
from dataclasses import dataclass, field

_COMMA = "%!(PACKER_COMMA)"
_FIELDS = 3
_SPOKEN = ("say", "message", "error")
_KEPT = 200
_PREFIX = re.compile(r"^(?:==>|-->)?\s*(?:[a-z-]+\.[a-z-]+:)?\s*")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TASK = re.compile(r"^TASK \[(?:[a-z_]+ : )?(.*?)\] \**$")
_FATAL = re.compile(r"^(?:fatal|failed): \[[^\]]*\](?::? ?[A-Z]+!)? => (\{.*\})$")
# What Packer says when it comes to each part of its work, the share of a build in percent that is done by
# then, and how people call it.
_MILESTONES = (
    ("Starting docker container", 5, "booting a machine to build in"),
    ("/scripts/prepare", 10, "waiting for it to boot"),
    ("Provisioning with Ansible", 15, "running the roles"),
    ("/scripts/clean", 45, "removing what is the machine's own"),
    ("Committing the container", 50, "keeping what came of it"),
    ("Killing the container", 55, "removing the machine"),
)


@dataclass(frozen=True, slots=True)
class Word:
    """One line of what Packer says.

    Attributes:
        kind: `say`, `message`, `error`, or the type of a record.
        text: what is said; of a record its data, separated by commas.
    """

    kind: str
    text: str

    @property
    def milestone(self) -> tuple[str, int]:
        """What is being done now, and the share in percent; ("", 0) when the line says nothing of it."""
        if task := _TASK.match(self.text):
            return task[1], 0
        found = ((message, share) for words, share, message in _MILESTONES if words in self.text)
        return next(found, ("", 0)) if self.kind == "say" else ("", 0)


def word(line: str) -> Word | None:
    """Read a line, None for one that says nothing."""
    parts = line.rstrip("\r\n").split(",", _FIELDS)
    if len(parts) <= _FIELDS:
        return Word("message", _plain(line)) if line.strip() else None
    kind, data = parts[2], parts[3]
    if kind == "ui":
        kind, _, data = data.partition(",")
        kind = kind if kind in _SPOKEN else "message"
    text = _plain(data)
    return Word(kind, text) if text else None


def _plain(data: str) -> str:
    text = _ESCAPES.sub("", data.replace(_COMMA, ",").replace("\\r", "").replace("\\n", "\n"))
    return _PREFIX.sub("", text.strip()).strip()


@dataclass(slots=True)
class Story:
    """What was said in one run: kept to its end, for whoever asks why it failed.

    Attributes:
        lines: the last that was said.
        artifact: id of what was built, "" while there is none.
    """

    lines: list[str] = field(default_factory=list)
    artifact: str = ""
    _errors: list[str] = field(default_factory=list)
    _failed: str = ""

    def hear(self, said: Word) -> None:
        """Take note of a line."""
        if said.kind == "artifact":
            number_key_value = said.text.split(",", 2)
            if number_key_value[1:2] == ["id"] and len(number_key_value) == _FIELDS:
                self.artifact = number_key_value[2]
            return
        if said.kind not in _SPOKEN and said.kind != "error":
            return
        self.lines = [*self.lines[-_KEPT:], said.text]
        if said.kind == "error":
            self._errors.append(said.text)
        if failure := _FATAL.match(said.text):
            self._failed = self._failed or _message(failure[1])

    @property
    def reason(self) -> str:
        """Why it failed, as far as that was said: a role's own words before Packer's."""
        return self._failed or next(iter(self._errors), "") or next(iter(self.lines[-1:]), "")


def _message(result: str) -> str:
    """The message of a task's result."""
    try:
        told = json.loads(result)
    except ValueError:
        return result
    return str(told.get("msg") or result) if isinstance(told, dict) else result
