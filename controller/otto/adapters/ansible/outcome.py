"""Events of a play, folded into what became of each host."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from otto.adapters.ansible.scrub import one_line
from otto.model.configuration import HostOutcome, HostResult
from otto.model.host import Host

_MISMATCH = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/=]{20,}")
_PREFIXES = re.compile(
    r"^(Task failed: )?(Module failed: )?"
    r"((Failed to connect to the host via ssh|Data could not be sent to remote host .*? over ssh): )?"
)
_RESULTS = frozenset({"runner_on_ok", "runner_on_failed", "runner_on_unreachable"})


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one host so far."""

    host: str
    changed: int = 0
    bad: HostOutcome | None = None
    task: str = ""
    message: str = ""

    def after(self, event: Mapping[str, Any]) -> "Tally":
        """The tally with one more event of this host."""
        data = event["event_data"]
        result = data.get("res") or {}
        task = str(data.get("task") or "")
        if event["event"] == "runner_on_ok":
            return replace(self, changed=self.changed + bool(result.get("changed")), task=task)
        if data.get("ignore_errors"):
            return replace(self, task=task)
        bad = _badness(event["event"], result)
        return replace(self, bad=bad, task=task, message=message_of(result))

    def result(self) -> HostResult:
        """The host's result, had the play ended here."""
        outcome = self.bad or (HostOutcome.CHANGED if self.changed else HostOutcome.OK)
        task = self.task if self.bad else ""
        return HostResult(self.host, outcome, self.changed, task, self.message)

    def cut_off(self, outcome: HostOutcome, message: str) -> "Tally":
        """The tally of a host whose play never ended."""
        return self if self.bad else replace(self, bad=outcome, message=message)


class Tallies:
    """What is known of all hosts of a play."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._tallies = {host.name: Tally(host.name) for host in hosts}
        self.complete = False

    def take(self, event: Mapping[str, Any]) -> Tally | None:
        """Fold one event in; the tally it changed, None when it was about no host's result."""
        kind = event.get("event")
        self.complete = self.complete or kind == "playbook_on_stats"
        name = (event.get("event_data") or {}).get("host")
        if kind not in _RESULTS or name not in self._tallies:
            return None
        self._tallies[name] = self._tallies[name].after(event)
        return self._tallies[name]

    def cut_off(self, outcome: HostOutcome, message: str) -> None:
        """The play ended before its time: hosts that had not failed yet came out like this."""
        self._tallies = {name: tally.cut_off(outcome, message) for name, tally in self._tallies.items()}

    def results(self) -> tuple[HostResult, ...]:
        """All results, in the order of the hosts asked for."""
        return tuple(tally.result() for tally in self._tallies.values())


def _badness(kind: str, result: Mapping[str, Any]) -> HostOutcome:
    if kind == "runner_on_unreachable":
        return HostOutcome.UNREACHABLE
    return HostOutcome.TIMED_OUT if result.get("timedout") else HostOutcome.FAILED


def message_of(result: Mapping[str, Any]) -> str:
    """Why a task failed on a host, in one line, secrets removed."""
    items = result.get("results")
    if isinstance(items, list):
        failed = [item for item in items if isinstance(item, dict) and item.get("failed")]
        result = failed[0] if failed else result
    parts = [str(result.get("msg") or "").strip()]
    said = str(result.get("stderr") or result.get("stdout") or "").strip()
    if said and said not in parts[0]:
        parts.append(said)
    text = one_line(": ".join(part for part in parts if part))
    return _mismatch(text) or _PREFIXES.sub("", text) or "no reason was given"


def _mismatch(text: str) -> str:
    """What ssh says over many lines about a host that is not who it should be, in a few words."""
    if not any(sign in text for sign in _MISMATCH):
        return ""
    found = _FINGERPRINT.search(text)
    return "the host does not have the SSH key that is pinned for it" + (f" but {found[0]}" if found else "")
